// unit: mm
// volume: myocardium
// The ventricles of a heart, cut at the base, their cavities filled with solution: a truncated ellipsoid, the
// left ventricle, and around its septum a crescent, the right one.
// Regions: myocardium, left_cavity, right_cavity. Surfaces: epicardium, base (with the cavities' openings).
// Axes: z from the apex to the base, right ventricle at -x, front at -y.
//
// The volume is the myocardium's, without the cavities: about 1 mL of a rat, 180 mL of a human. The left
// ventricle is the ellipsoid of Land et al. (2015), Proc. R. Soc. A 471:20150641 (radii 7 and 17 inside, 10
// and 20 outside, cut 5 above the middle). The right one is an estimate: its wall is half as thick, its
// cavity two thirds of the left one's, which is nearly 0.6 of the myocardium's volume.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {1, Min 1e-6, Name "Parameters/1 volume of the myocardium [mL]"}
];

// Drawn with a radius of the left ventricle of 1, then scaled to the volume.
// Cells are poor at the pole of an ellipsoid. At the apex of the left ventricle it is replaced by a cap whose
// own poles, on its sides, are cut off.
outer = 1;
left = 2;
caps() = {11, 12};
radii() = {1, 0.7};
lengths() = {2, 1.7};
For i In {0:1}
  body = i + 1;
  cap = caps(i);
  Sphere(body) = {0, 0, 0, 1};
  Dilate{ {0, 0, 0}, {radii(i), radii(i), lengths(i)} }{ Volume{body}; }
  Sphere(cap) = {0, 0, 0, 1};
  Rotate{ {0, 1, 0}, {0, 0, 0}, -Pi / 2 }{ Volume{cap}; }
  Dilate{ {0, 0, 0}, {radii(i), radii(i), lengths(i)} }{ Volume{cap}; }
  Box(20) = {-4, -4, -4, 8, 8, 4 - 0.92 * lengths(i)};
  BooleanDifference{ Volume{body}; Delete; }{ Volume{20}; }
  BooleanIntersection{ Volume{cap}; Delete; }{ Volume{20}; Delete; }
  BooleanUnion{ Volume{body}; Delete; }{ Volume{cap}; Delete; }
EndFor

// Both poles of the right ventricle are cut off as well, and so are the seams: an edge across one can't be
// rounded.
wall = 0.14;
right = 3;
Sphere(right) = {0, 0, 0, 1};
Rotate{ {0, 1, 0}, {0, 0, 0}, -0.93 }{ Volume{right}; }
Dilate{ {0, 0, 0}, {0.85, 0.95, 1.5} }{ Volume{right}; }
Rotate{ {0, 1, 0}, {0, 0, 0}, -0.1 }{ Volume{right}; }
Translate{ -0.75, 0, 0 }{ Volume{right}; }

right_wall = 4;
Sphere(right_wall) = {0, 0, 0, 1};
Rotate{ {0, 1, 0}, {0, 0, 0}, -0.93 }{ Volume{right_wall}; }
Dilate{ {0, 0, 0}, {0.85 + wall, 0.95 + wall, 1.5 + wall} }{ Volume{right_wall}; }
Rotate{ {0, 1, 0}, {0, 0, 0}, -0.1 }{ Volume{right_wall}; }
Translate{ -0.75, 0, 0 }{ Volume{right_wall}; }

base = 10;
Box(base) = {-4, -4, 0.5, 8, 8, 4};
For body In {outer:right_wall}
  BooleanDifference{ Volume{body}; Delete; }{ Volume{base}; }
EndFor
Recursive Delete{ Volume{base}; }
right() = BooleanDifference{ Volume{right}; Delete; }{ Volume{outer}; };
whole() = BooleanUnion{ Volume{outer}; Delete; }{ Volume{right_wall}; Delete; };
// The groove around the septum, without the edges of the base.
groove() = Curve In BoundingBox{-0.9, -1.2, -1.8, -0.15, 1.2, 0.6};
groove() -= Curve In BoundingBox{-0.9, -1.2, 0.4, -0.15, 1.2, 0.6};
whole() = Fillet{ whole() }{ groove() }{ 0.6 };
myocardium() = BooleanDifference{ Volume{whole()}; Delete; }{ Volume{left, right()}; };
Coherence;

// Measured on the half in y > 0: Gmsh measures the whole, with its long trimmed faces, 0.7 % too small.
Box(20) = {-4, 0, -4, 8, 4, 8};
half() = BooleanIntersection{ Volume{myocardium()}; }{ Volume{20}; Delete; };
drawn() = {Mass Volume{half(0)}};
Recursive Delete{ Volume{half()}; }
// 1 mL = 1000 mm^3
scale = (1000 * volume / (2 * drawn(0)))^(1 / 3);
Dilate{ {0, 0, 0}, {scale, scale, scale} }{ Volume{:}; }

Physical Volume("myocardium") = myocardium();
Physical Volume("left_cavity") = left;
Physical Volume("right_cavity") = right();

slack = 0.01 * scale;
base() = Surface In BoundingBox{
  -4 * scale, -4 * scale, 0.5 * scale - slack, 4 * scale, 4 * scale, 0.5 * scale + slack};
epicardium() = Abs(CombinedBoundary{ Volume{:}; });
epicardium() -= base();
Physical Surface("base") = base();
Physical Surface("epicardium") = epicardium();

// 20 elements around each bend keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 20;
