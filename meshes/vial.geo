// unit: mm
// volume: cpa
// An upright cylinder of cryoprotectant, as in a cryovial or a bottle, with an optional container.
// Regions: cpa, and container where wall > 0. Surfaces: side, top, bottom, always the outermost ones.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {1, Min 1e-6, Name "Parameters/1 volume [mL]"},
  aspect = {1.6, Min 1e-3, Name "Parameters/2 height over diameter [-]"},
  wall = {0, Min 0, Name "Parameters/3 wall thickness [mm]"}
];

// 1 mL = 1000 mm^3 = pi/4 aspect diameter^3
diameter = (1000 * volume * 4 / (Pi * aspect))^(1 / 3);
height = aspect * diameter;

Cylinder(1) = {0, 0, -height / 2, 0, 0, height, diameter / 2};
If (wall > 0)
  Cylinder(2) = {0, 0, -height / 2 - wall, 0, 0, height + 2 * wall, diameter / 2 + wall};
  BooleanFragments{ Volume{2}; Delete; }{ Volume{1}; Delete; }
  container() = Volume{:};
  container() -= {1};
  Physical Volume("container") = container();
  // Two elements' length of a thin wall is the longest that still makes well-shaped cells in it.
  MeshSize{ PointsOf{ Volume{container()}; } } = 2 * wall;
EndIf
Physical Volume("cpa") = {1};

radius = diameter / 2 + wall;
half = height / 2 + wall;
slack = 1e-3 * (radius + half);
Physical Surface("top") = Surface In BoundingBox{
  -radius - slack, -radius - slack, half - slack, radius + slack, radius + slack, half + slack};
Physical Surface("bottom") = Surface In BoundingBox{
  -radius - slack, -radius - slack, -half - slack, radius + slack, radius + slack, -half + slack};
outer() = Abs(CombinedBoundary{ Volume{:}; });
outer() -= Surface In BoundingBox{
  -radius - slack, -radius - slack, half - slack, radius + slack, radius + slack, half + slack};
outer() -= Surface In BoundingBox{
  -radius - slack, -radius - slack, -half - slack, radius + slack, radius + slack, -half + slack};
Physical Surface("side") = outer();

// A 30-gon has 0.7 % less area than its circle.
Mesh.MeshSizeFromCurvature = 30;
