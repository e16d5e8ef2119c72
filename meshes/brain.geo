// unit: mm
// volume: grey_matter + white_matter + tumour
// A head without its face: a brain with a spherical tumour, in its fluid and in the skull, cut across at the neck.
// Regions: skull, csf, grey_matter, white_matter, tumour, and scalp where its thickness is > 0.
// Surfaces: surface (the outside of the skull, or of the scalp), neck.
// Axes as in medical images: x to the left, y to the back, z upwards; the origin is the middle of the cerebrum.
//
// Proportions: the skull is 6.3 mm thick in the mean, measured on 281 human ones (Moreira-Gonzalez 2006, Plast.
// Reconstr. Surg. 117); the fluid is 12.4 % of the space inside it, measured 11.4 % (Matsumae 1996, J. Neurosurg. 84).
// All else is an estimate: a cerebrum of 137 x 169 x 107 mm at 1400 mL, 37 % of the brain white matter. Folds and
// ventricles are not drawn: the grey layer stands for the cortex with its folds. At 2 mL, a rat's brain, the skull
// becomes 0.7 mm, about what a rat has; but a rat has far less white matter. The volume is good from 0.3 to 2000 mL.
SetFactory("OpenCASCADE");
// A union must leave faces of one sphere apart that have their poles in different places.
Geometry.OCCUnionUnify = 0;

DefineConstant[
  volume = {1400, Min 1e-3, Name "Parameters/1 volume [mL]"},
  tumour_volume = {volume / 50, Min 1e-9, Name "Parameters/2 tumour volume [mL]"},
  tumour_x = {33 * (volume / 1400)^(1 / 3), Name "Parameters/3 middle of the tumour, to the left [mm]"},
  tumour_y = {-22 * (volume / 1400)^(1 / 3), Name "Parameters/4 middle of the tumour, to the back [mm]"},
  tumour_z = {16 * (volume / 1400)^(1 / 3), Name "Parameters/5 middle of the tumour, upwards [mm]"},
  csf_thickness = {3 * (volume / 1400)^(1 / 3), Name "Parameters/6 mean thickness of the fluid [mm]"},
  skull_thickness = {6.3 * (volume / 1400)^(1 / 3), Name "Parameters/7 mean thickness of the skull [mm]"},
  scalp_thickness = {0, Min 0, Name "Parameters/8 mean thickness of the scalp, 0: none [mm]"}
];

// Drawn with a cerebrum of radius 1 and stretched at the end: spheres are cut fast and exactly, ellipsoids are not.
// `one` is the mean length [mm] of what is drawn as 1. It takes the brain's volume as drawn, about 4.52 and computed
// below, from here: the layers around the brain do not have to wait for it.
across = 67;
along = 82.5;
upwards = 52;
mean = (across + along + upwards) / 3;
one = mean * (1000 * volume / (across * along * upwards * 4.5202))^(1 / 3);
csf_layer = csf_thickness / one;
skull_layer = skull_thickness / one;
scalp_layer = scalp_thickness / one;
total = csf_layer + skull_layer + scalp_layer;
If (csf_layer < 0.015 || csf_layer > 0.12)
  Error("csf_thickness of %g mm: this volume takes %g to %g mm", csf_thickness, 0.015 * one, 0.12 * one);
EndIf
If (skull_layer < 0.03 || skull_layer > 0.2)
  Error("skull_thickness of %g mm: this volume takes %g to %g mm", skull_thickness, 0.03 * one, 0.2 * one);
EndIf
If (scalp_layer > 0 && (scalp_layer < 0.03 || scalp_layer > 0.2))
  Error("scalp_thickness of %g mm: this volume takes 0, or %g to %g mm", scalp_thickness, 0.03 * one, 0.2 * one);
EndIf
neck_height = -1.46 - total;

// Draws the solid `head`: cerebrum, cerebellum and stem, each larger by `layer`.
// Poles of the spheres, and seams where possible, are turned to where they end up inside: cells are poor at them.
// Therefore the crown is of another sphere than the rest of the cerebrum.
Macro Head
  cerebrum = newv;
  Sphere(cerebrum) = {0, 0, 0, 1 + layer, -Pi / 2, Pi / 4};
  Rotate{ {0, 0, 1}, {0, 0, 0}, Pi / 2 }{ Volume{cerebrum}; }
  crown = newv;
  Sphere(crown) = {0, 0, 0, 1 + layer};
  Rotate{ {0, 1, 0}, {0, 0, 0}, Pi / 2 }{ Volume{crown}; }
  above = newv;
  Box(above) = {-2, -2, (1 + layer) / Sqrt(2), 4, 4, 2};
  top() = BooleanIntersection{ Volume{crown}; Delete; }{ Volume{above}; Delete; };
  // The pole of the lower part goes from the opening for the stem into the cerebellum.
  Rotate{ {1, 0, 0}, {0, 0, 0}, Pi / 6 }{ Volume{cerebrum, top(0)}; }
  left = newv;
  Sphere(left) = {0.3, 0.42, -0.8, 0.42 + layer};
  Rotate{ {0, 0, 1}, {0.3, 0.42, -0.8}, 195 * Pi / 180 }{ Volume{left}; }
  Rotate{ {0.31, 0.95, 0}, {0.3, 0.42, -0.8}, Pi / 3 }{ Volume{left}; }
  right = newv;
  Sphere(right) = {-0.3, 0.42, -0.8, 0.42 + layer};
  Rotate{ {0, 0, 1}, {-0.3, 0.42, -0.8}, -15 * Pi / 180 }{ Volume{right}; }
  Rotate{ {0.31, -0.95, 0}, {-0.3, 0.42, -0.8}, Pi / 3 }{ Volume{right}; }
  Call Stem;
  head() = BooleanUnion{ Volume{cerebrum}; Delete; }{ Volume{top(0), left, right, stem}; Delete; };
Return

Macro Stem
  stem = newv;
  Cone(stem) = {0, 0.08, -0.1, 0, 0, neck_height + 0.1, 0.22 + layer, 0.11 + layer};
  Rotate{ {0, 0, 1}, {0, 0.08, 0}, -Pi / 2 }{ Volume{stem}; }
Return

// Adds the white matter of the hemisphere on the left (`side` 1) or right (-1) to `white`: a cylinder with round
// ends, whose seams and poles are turned to the middle, where the other hemisphere covers them.
Macro Hemisphere
  middle = newv;
  Cylinder(middle) = {side * 0.27, -0.235, 0.05, 0, 0.47, 0, 0.52};
  Rotate{ {0, 1, 0}, {side * 0.27, 0, 0.05}, -side * Pi / 2 }{ Volume{middle}; }
  white() += middle;
  For back In {-1 : 1 : 2}
    end = newv;
    Sphere(end) = {side * 0.27, back * 0.235, 0.05, 0.52};
    Rotate{ {0, 0, 1}, {side * 0.27, back * 0.235, 0}, Atan2(-back * Sqrt(3), -side) }{ Volume{end}; }
    Rotate{ {-back, -side * Sqrt(3), 0}, {side * 0.27, back * 0.235, 0.05}, Pi / 2 }{ Volume{end}; }
    beyond = newv;
    Box(beyond) = {-2, back * 0.235, -2, 4, back * 2, 4};
    half() = BooleanIntersection{ Volume{end}; Delete; }{ Volume{beyond}; Delete; };
    white() += half();
  EndFor
Return

// Draws the solid `ball`: the tumour, larger by the factor `swelling`. Its poles are turned away from the sides,
// where the border of the white matter may cross it.
Macro Ball
  ball = newv;
  Sphere(ball) = {0, 0, 0, 1};
  distance = Sqrt(tumour_x^2 + tumour_y^2 + tumour_z^2);
  If (distance > 0)
    Rotate{ {0, 1, 0}, {0, 0, 0}, Acos(tumour_z / distance) }{ Volume{ball}; }
    Rotate{ {0, 0, 1}, {0, 0, 0}, Atan2(tumour_y, tumour_x) }{ Volume{ball}; }
  EndIf
  size = swelling * radius;
  Dilate{ {0, 0, 0}, {size / (across * scale), size / (along * scale), size / (upwards * scale)} }{ Volume{ball}; }
  Translate{ tumour_x / (across * scale), tumour_y / (along * scale), tumour_z / (upwards * scale) }{ Volume{ball}; }
Return

// `place` of the swollen tumour with respect to the solid `body`: 0 outside, 1 across its border, 2 inside.
Macro Place
  Call Ball;
  whole() = {Mass Volume{ball}};
  shared() = BooleanIntersection{ Volume{ball}; Delete; }{ Volume{body}; };
  inside = 0;
  If (#shared() > 0)
    For piece In {0 : #shared() - 1}
      mass() = {Mass Volume{shared(piece)}};
      inside += mass(0) / whole(0);
    EndFor
    Recursive Delete{ Volume{shared()}; }
  EndIf
  place = (inside < 0.01) ? 0 : ((inside < 0.99) ? 1 : 2);
Return

layer = 0;
Call Head;
brain = head(0);
white() = {};
side = 1;
Call Hemisphere;
side = -1;
Call Hemisphere;
Call Stem;
white() = BooleanUnion{ Volume{stem}; Delete; }{ Volume{white()}; Delete; };

drawn() = {Mass Volume{brain}};
// 1 mL = 1000 mm^3
scale = (1000 * volume / (across * along * upwards * drawn(0)))^(1 / 3);
radius = (3 * 1000 * tumour_volume / (4 * Pi))^(1 / 3);

body = brain;
swelling = 1.3;
Call Place;
If (place < 2)
  Error("the tumour (radius %g mm) is not inside the brain by 0.15 radii: move it or make it smaller", radius);
EndIf
body = white(0);
Call Place;
swollen = place;
swelling = 0.85;
Call Place;
If (place != swollen)
  Error("the tumour (radius %g mm) grazes the white matter's border: move it by half its radius", radius);
EndIf

layer = csf_layer;
Call Head;
cavity = head(0);
layer = csf_layer + skull_layer;
Call Head;
skull = head(0);
scalp() = {};
If (scalp_layer > 0)
  layer = total;
  Call Head;
  scalp() = BooleanDifference{ Volume{head(0)}; Delete; }{ Volume{skull}; };
EndIf
swelling = 1;
Call Ball;
tumour = ball;

skull() = BooleanDifference{ Volume{skull}; Delete; }{ Volume{cavity}; };
csf() = BooleanDifference{ Volume{cavity}; Delete; }{ Volume{brain}; };
grey() = BooleanDifference{ Volume{brain}; Delete; }{ Volume{white(0)}; Volume{tumour}; };
white() = BooleanDifference{ Volume{white(0)}; Delete; }{ Volume{tumour}; };
Coherence;
Dilate{ {0, 0, 0}, {across * scale, along * scale, upwards * scale} }{ Volume{:}; }

If (scalp_layer > 0)
  Physical Volume("scalp") = scalp();
EndIf
Physical Volume("skull") = skull();
Physical Volume("csf") = csf();
Physical Volume("grey_matter") = grey();
Physical Volume("white_matter") = white();
Physical Volume("tumour") = {tumour};

reach = 200 * scale;
bottom = upwards * neck_height * scale;
slack = 1e-3 * scale;
surface() = Abs(CombinedBoundary{ Volume{:}; });
neck() = Surface In BoundingBox{-reach, -reach, bottom - slack, reach, reach, bottom + slack};
surface() -= neck();
Physical Surface("surface") = surface();
Physical Surface("neck") = neck();

// Two elements' length of a thin layer is the longest that still makes well-shaped cells in it.
// Where two layers meet, the thinner one counts.
skull_size = 2 * skull_thickness;
If (scalp_layer > 0)
  MeshSize{ PointsOf{ Volume{scalp()}; } } = 2 * scalp_thickness;
  skull_size = 2 * Min(skull_thickness, scalp_thickness);
EndIf
MeshSize{ PointsOf{ Volume{skull()}; } } = skull_size;
MeshSize{ PointsOf{ Volume{csf()}; } } = 2 * Min(csf_thickness, skull_thickness);
// 24 elements around each bend keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 24;

// Cells grow slowly away from a small tumour, or those beside it were poor.
tumour_size = 2 * Pi * radius / 24;
Field[1] = Ball;
Field[1].XCenter = tumour_x;
Field[1].YCenter = tumour_y;
Field[1].ZCenter = tumour_z;
Field[1].Radius = radius;
Field[1].VIn = tumour_size;
Field[1].VOut = 20 * scale;
Field[1].Thickness = (20 * scale - tumour_size) / 0.4;
Background Field = 1;
