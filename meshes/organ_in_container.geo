// unit: mm
// volume: organ
// An organ in a closed jar that is filled with solution to the lid, as it is cooled and rewarmed.
// Regions: organ, solution, and container where wall > 0. Surfaces: top, side (with the rounded lower edge),
// bottom, always the outermost ones.
// Axes: z up, the organ in the middle of the jar, its length upright.
//
// The organ is an ellipsoid, length : width : thickness are 1.6 : 1.2 : 1, between a heart and a kidney: an
// estimate, as is the rounding of the jar (0.3 of its radius). The solution's volume, the jar's height
// over diameter and its wall are to be measured. The organ must leave a gap of 5 % of the jar's radius: the
// ratio is 1.2 or more at the default aspect. A wall of a fiftieth of the radius makes half a million cells.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {1.3, Min 1e-6, Name "Parameters/1 volume of the organ [mL]"},
  ratio = {2, Min 0, Name "Parameters/2 volume of the solution over the organ's, where solution is 0 [-]"},
  solution = {0, Min 0, Name "Parameters/3 volume of the solution, 0 for the ratio [mL]"},
  aspect = {1.3, Min 1e-3, Name "Parameters/4 height over diameter of the inside [-]"},
  wall = {0, Min 0, Name "Parameters/5 wall thickness of the jar, 0 for none [mm]"}
];

// 1 mL = 1000 mm^3
thickness = (1000 * volume / (4 / 3 * Pi * 1.2 * 1.6))^(1 / 3);  // half of it, as width and length
width = 1.2 * thickness;
length = 1.6 * thickness;
organ = 1;
Sphere(organ) = {0, 0, 0, 1};
Dilate{ {0, 0, 0}, {width, thickness, length} }{ Volume{organ}; }

If (solution == 0)
  solution = ratio * volume;
EndIf
// A jar of radius 1 is drawn for what its rounded edge takes from the cylinder.
jar = 2;
Cylinder(jar) = {0, 0, -aspect, 0, 0, 2 * aspect, 1};
jar() = Fillet{ jar }{ Curve In BoundingBox{-2, -2, -aspect - 1e-3, 2, 2, -aspect + 1e-3} }{ 0.3 };
drawn() = {Mass Volume{jar(0)}};
radius = (1000 * (volume + solution) / drawn(0))^(1 / 3);
height = 2 * aspect * radius;
rounding = 0.3 * radius;
Dilate{ {0, 0, 0}, {radius, radius, radius} }{ Volume{jar()}; }

// The organ must leave room for cells of solution all round, also at the rounded edge.
gap = radius;
For i In {0:90}
  over_x = width * Sin(i * Pi / 180) - (radius - rounding);
  over_z = length * Cos(i * Pi / 180) - (height / 2 - rounding);
  gap = Min(gap, rounding - Hypot(Max(over_x, 0), Max(over_z, 0)) - Min(Max(over_x, over_z), 0));
EndFor
If (gap < 0.05 * radius)
  Error("the organ (%.3g mm wide, %.3g mm long) leaves too little room in the jar (%.3g mm wide, %.3g mm high): give more solution or another aspect",
    2 * width, 2 * length, 2 * radius, height);
EndIf

If (wall > 0)
  Cylinder(3) = {0, 0, -height / 2 - wall, 0, 0, height + 2 * wall, radius + wall};
  container() = Fillet{ 3 }{
    Curve In BoundingBox{-2 * radius - wall, -2 * radius - wall, -height / 2 - 1.01 * wall,
      2 * radius + wall, 2 * radius + wall, -height / 2 - 0.99 * wall} }{ rounding + wall };
  container() = BooleanDifference{ Volume{container()}; Delete; }{ Volume{jar()}; };
  Physical Volume("container") = container();
EndIf
solution() = BooleanDifference{ Volume{jar()}; Delete; }{ Volume{organ}; };
Coherence;
Physical Volume("organ") = {organ};
Physical Volume("solution") = solution();
If (wall > 0)
  // Two elements' length of a thin wall is the longest that still makes well-shaped cells in it.
  MeshSize{ PointsOf{ Volume{container()}; } } = 2 * wall;
EndIf

half = height / 2 + wall;
reach = radius + wall;
slack = 1e-3 * half;
top() = Surface In BoundingBox{-2 * reach, -2 * reach, half - slack, 2 * reach, 2 * reach, half + slack};
bottom() = Surface In BoundingBox{-2 * reach, -2 * reach, -half - slack, 2 * reach, 2 * reach, -half + slack};
side() = Abs(CombinedBoundary{ Volume{:}; });
side() -= {top(), bottom()};
Physical Surface("top") = top();
Physical Surface("bottom") = bottom();
Physical Surface("side") = side();

// 30 elements around each bend keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 30;
