// unit: mm
// volume: cpa
// A cryovial standing upright: cryoprotectant up to the fill line, air above it, a wall with a conical bottom
// and a screw cap over its mouth. Regions: cpa, air, wall, cap. Surfaces: side, bottom, cap.
// Axis: z, upwards; the inside of the bottom is at z = 0.
//
// Proportions are estimates, of the shape of usual cryovials: at 1 mL the inside is about 10 mm wide. The wall
// has its own thickness in mm; the cap is half as thick again and reaches down by its inner radius.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {1, Min 1e-6, Name "Parameters/1 volume of the fill [mL]"},
  wall = {1, Min 1e-3, Name "Parameters/2 wall thickness [mm]"},
  aspect = {1.6, Min 1, Max 10, Name "Parameters/3 height of the fill over inner diameter [-]"},
  gap = {0.3, Min 0.05, Max 5, Name "Parameters/4 height of the air over that of the fill [-]"}
];

// Drawn as half of an axial section, in inner radii; 1 mL = 1000 mm^3.
tip = 0.35;
cone = 0.9;
fill = 2 * aspect;
drawn = Pi * (cone / 3 * (1 + tip + tip^2) + fill - cone);
radius = (1000 * volume / drawn)^(1 / 3);
If (wall > 0.5 * radius || wall < 0.03 * radius)
  Error("a wall of %g mm does not suit an inner radius of %g mm; give one of 0.03 to 0.5 times that", wall, radius);
EndIf

tip = tip * radius;
cone = cone * radius;
fill = fill * radius;
top = (1 + gap) * fill;
cover = 1.5 * wall;
skirt = top - radius;
// The outer cone lies `wall` away from the inner one, along their common normal.
slope = (radius - tip) / cone;
slant = Sqrt(1 + slope^2);

Point(1) = {0, 0, 0};
Point(2) = {tip, 0, 0};
Point(3) = {radius, 0, cone};
Point(4) = {radius, 0, fill};
Point(5) = {0, 0, fill};
Point(6) = {radius, 0, top};
Point(7) = {0, 0, top};
Point(8) = {0, 0, -wall};
Point(9) = {tip + wall * (slant - slope), 0, -wall};
Point(10) = {radius + wall, 0, cone - wall * (slant - 1) / slope};
Point(11) = {radius + wall, 0, skirt};
Point(12) = {radius + wall, 0, top};
Point(13) = {radius + wall + cover, 0, skirt};
Point(14) = {radius + wall + cover, 0, top + cover};
Point(15) = {0, 0, top + cover};
Line(1) = {1, 2}; Line(2) = {2, 3}; Line(3) = {3, 4}; Line(4) = {4, 5}; Line(5) = {5, 1};
Line(6) = {4, 6}; Line(7) = {6, 7}; Line(8) = {7, 5};
Line(9) = {1, 8}; Line(10) = {8, 9}; Line(11) = {9, 10}; Line(12) = {10, 11}; Line(13) = {11, 12}; Line(14) = {12, 6};
Line(15) = {11, 13}; Line(16) = {13, 14}; Line(17) = {14, 15}; Line(18) = {15, 7};
Curve Loop(1) = {1, 2, 3, 4, 5};
Curve Loop(2) = {-4, 6, 7, 8};
Curve Loop(3) = {9, 10, 11, 12, 13, 14, -6, -3, -2, -1};
Curve Loop(4) = {-14, -13, 15, 16, 17, 18, -7};
Plane Surface(1) = {1}; Plane Surface(2) = {2}; Plane Surface(3) = {3}; Plane Surface(4) = {4};
Extrude{ {0, 0, 1}, {0, 0, 0}, 2 * Pi }{ Surface{1, 2, 3, 4}; }
// Without the section itself no edge runs through the volumes.
Recursive Delete{ Surface{1, 2, 3, 4}; }
Coherence;

Physical Volume("cpa") = {1};
Physical Volume("air") = {2};
Physical Volume("wall") = {3};
Physical Volume("cap") = {4};

outer() = Abs(CombinedBoundary{ Volume{:}; });
vial() = outer();
vial() -= Abs(Boundary{ Volume{4}; });
reach = radius + wall + cover;
slack = 0.1 * wall;
side() = vial();
side() -= Surface In BoundingBox{-reach, -reach, -wall - slack, reach, reach, cone - slack};
bottom() = vial();
bottom() -= side();
outer() -= vial();
Physical Surface("side") = side();
Physical Surface("bottom") = bottom();
Physical Surface("cap") = outer();

// Two elements' length of a thin wall is the longest that still makes well-shaped cells in it.
MeshSize{ PointsOf{ Volume{3, 4}; } } = 2 * wall;
// A 36-gon has 0.5 % less area than its circle.
Mesh.MeshSizeFromCurvature = 36;
// Of thin layers, more cells than usual need to be improved.
Mesh.OptimizeThreshold = 0.4;
