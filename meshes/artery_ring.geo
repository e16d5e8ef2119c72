// unit: mm
// volume: wall
// A ring cut from an artery, its lumen open to the surroundings or filled with solution.
// Regions: wall, and lumen where fill = 1. Surfaces: side, ends, and inner where the lumen is open.
// Axis: z, through the lumen.
//
// The wall of 1 mm is that of the carotid of Manuchehrabadi (2018), Ann. Biomed. Eng.; the length is an estimate.
// The wall keeps its thickness: a larger volume is a wider artery. 0.06 to 1.8 mL are human ones with a wall of 1 mm
// (inner diameters of 5 to 30 mm); give a thinner wall to smaller ones, such as 0.1 mm to the aorta of a rat.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {0.1, Min 1e-7, Name "Parameters/1 volume of the wall [mL]"},
  wall = {1, Min 1e-3, Name "Parameters/2 wall thickness [mm]"},
  aspect = {0.6, Min 0.1, Max 20, Name "Parameters/3 length over inner diameter [-]"},
  fill = {0, Min 0, Max 1, Choices{0 = "open", 1 = "filled"}, Name "Parameters/4 lumen [-]"}
];

// 1 mL = 1000 mm^3 = 2 pi aspect wall radius (2 radius + wall)
root = Sqrt(wall^2 + 4000 * volume / (Pi * aspect * wall));
radius = (root - wall) / 4;
length = 2 * aspect * radius;
If (radius < 0.3 * wall || radius > 30 * wall || length < wall)
  Error("a wall of %g mm would be %g mm in inner radius and %g mm long; give another wall or volume", wall, radius, length);
EndIf

Cylinder(1) = {0, 0, -length / 2, 0, 0, length, radius + wall};
Cylinder(2) = {0, 0, -length / 2, 0, 0, length, radius};
If (fill)
  BooleanFragments{ Volume{1}; Delete; }{ Volume{2}; Delete; }
  Physical Volume("lumen") = {2};
Else
  BooleanDifference{ Volume{1}; Delete; }{ Volume{2}; Delete; }
EndIf
ring() = Volume{:};
ring() -= {2};
Physical Volume("wall") = ring();

reach = radius + 2 * wall;
slack = 1e-3 * wall;
half = length / 2;
ends() = Surface In BoundingBox{-reach, -reach, half - slack, reach, reach, half + slack};
ends() += Surface In BoundingBox{-reach, -reach, -half - slack, reach, reach, -half + slack};
sides() = Abs(CombinedBoundary{ Volume{:}; });
sides() -= ends();
inner() = Surface In BoundingBox{
  -radius - slack, -radius - slack, -half - slack, radius + slack, radius + slack, half + slack};
Physical Surface("ends") = ends();
If (!fill)
  Physical Surface("inner") = inner();
EndIf
sides() -= inner();
Physical Surface("side") = sides();

// Two elements' length of a thin wall is the longest that still makes well-shaped cells in it.
MeshSize{ PointsOf{ Volume{ring()}; } } = 2 * wall;
// 40 elements around the inside keep the wall within 1 %.
Mesh.MeshSizeFromCurvature = 40;
// Of thin layers, more cells than usual need to be improved.
Mesh.OptimizeThreshold = 0.4;
