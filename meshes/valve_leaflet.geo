// unit: mm
// volume: leaflet
// A leaflet of a semilunar heart valve: half a disc, bellied like a spherical shell of even thickness.
// Region: leaflet. Surfaces: outflow (hollow, to the artery), inflow (bulging, to the ventricle),
// attached_edge, free_edge.
// Axes: y from one commissure to the other, z up from the attached edge to the free edge, x against the bulge.
//
// Proportions are estimates: leaflets of an adult's aortic valve are about 25 mm wide and 14 mm high, 0.5 to 1 mm
// thick, about 0.2 mL. The thickness is kept: a larger volume is a wider leaflet. 0.004 to 2 mL go with 0.5 mm;
// give a thinner sheet to smaller ones, such as 0.05 mm to a rat's of 0.0001 mL.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {0.2, Min 1e-7, Name "Parameters/1 volume [mL]"},
  thickness = {0.5, Min 1e-3, Name "Parameters/2 thickness [mm]"},
  bend = {65, Min 30, Max 85, Name "Parameters/3 half the angle from commissure to commissure [deg]"}
];

// Half a cap of a shell of mean radius R has the volume solid_angle (R^2 thickness + thickness^3 / 12).
half_angle = bend * Pi / 180;
solid_angle = Pi * (1 - Cos(half_angle));
// 1 mL = 1000 mm^3
square = 1000 * volume / (solid_angle * thickness) - thickness^2 / 12;
radius = square > 0 ? Sqrt(square) : 0;
If (radius < 4 * thickness || radius > 100 * thickness)
  Error("a sheet of %g mm would be bent to a radius of %g mm; give a thickness of 0.01 to 0.25 times that", thickness, radius);
EndIf

// Cut out by a cone from the centre and a plane through it: the edges stand square on the sheet.
inside = radius - thickness / 2;
outside = radius + thickness / 2;
reach = 1.2 * outside;
Sphere(1) = {0, 0, 0, outside};
Sphere(2) = {0, 0, 0, inside};
BooleanDifference{ Volume{1}; Delete; }{ Volume{2}; Delete; }
// Its poles and seam are turned out of the leaflet and off the cone, and so is the seam of the cone: OpenCASCADE
// fails where a cut meets a pole, and cells are poor there.
Rotate{ {0, 1, 0}, {0, 0, 0}, -75 * Pi / 180 }{ Volume{1}; }
Box(4) = {-reach, -reach, -reach, 2 * reach, 2 * reach, reach};
BooleanIntersection{ Volume{1}; Delete; }{ Volume{4}; Delete; }
Cone(3) = {0, 0, 0, -reach, 0, 0, 0, reach * Tan(half_angle)};
Rotate{ {1, 0, 0}, {0, 0, 0}, Pi / 2 }{ Volume{3}; }
BooleanIntersection{ Volume{1}; Delete; }{ Volume{3}; Delete; }
Physical Volume("leaflet") = Volume{:};

slack = 0.1 * thickness;
free() = Surface In BoundingBox{-reach, -reach, -slack, reach, reach, slack};
attached() = Surface In BoundingBox{-outside * Cos(half_angle) - slack, -reach, -reach, reach, reach, slack};
sides() = Surface{:};
sides() -= free();
sides() -= attached();
// The bulging side is the larger one.
area() = {Mass Surface{sides(0)}, Mass Surface{sides(1)}};
bulging = area(0) > area(1) ? 0 : 1;
Physical Surface("outflow") = {sides(1 - bulging)};
Physical Surface("inflow") = {sides(bulging)};
Physical Surface("attached_edge") = attached();
Physical Surface("free_edge") = free();

// Two elements' length of a thin sheet is the longest that still makes well-shaped cells in it.
MeshSize{ PointsOf{ Volume{:}; } } = 2 * thickness;
// 40 elements around a great circle keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 40;
// Of thin layers, more cells than usual need to be improved.
Mesh.OptimizeThreshold = 0.4;
