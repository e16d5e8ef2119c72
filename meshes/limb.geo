// unit: mm
// volume: fat + muscle + bone + tumour
// A thigh with a spherical soft-tissue tumour: a tapering segment of a limb, cut across at both ends.
// Regions: fat (with the skin), muscle, bone, tumour. Surfaces: skin, proximal and distal (the cuts).
// Axes: x to the side, y to the back, z along the limb towards the body; the origin is half way between the cuts.
//
// Proportions are estimates, of a rat's thigh (43 mm long at 15 mL) as of a human one (32 cm at 6 L). The fat with the
// skin is a tenth of the mean half-width thick and about a fifth of the volume, as in a lean man; the bone, drawn solid,
// is 4 %. The volume is good from 0.3 mL (a mouse) to 15 L.
SetFactory("OpenCASCADE");

// By default the tumour lies half way between bone and fat, and reaches neither.
DefineConstant[
  volume = {15, Min 1e-3, Name "Parameters/1 volume [mL]"},
  fat_thickness = {1.1 * (volume / 15)^(1 / 3), Name "Parameters/2 thickness of fat and skin [mm]"},
  tumour_volume = {volume / 300, Min 1e-9, Name "Parameters/3 tumour volume [mL]"},
  tumour_x = {6.4 * (volume / 15)^(1 / 3) - fat_thickness / 2,
    Name "Parameters/4 middle of the tumour, to the side [mm]"},
  tumour_y = {0, Name "Parameters/5 middle of the tumour, to the back [mm]"},
  tumour_z = {0, Name "Parameters/6 middle of the tumour, towards the body [mm]"}
];

// Draws the smooth solid `loft` through five ellipses along the limb, from the knee to the hip; `wide` and `deep` are
// their half-widths, less by `layer`. Drawn with a half-width of about 1, scaled to the volume at the end.
// Their seams are at the back.
height() = {-1.9, -0.95, 0, 0.95, 1.9};
Macro Loft
  rings() = {};
  sections() = {};
  For k In {0 : 4}
    ring = newc;
    Ellipse(ring) = {0, shift, height(k), wide(k) - layer, deep(k) - layer, Pi / 2, 5 * Pi / 2};
    section = newcl;
    Curve Loop(section) = {ring};
    rings() += ring;
    sections() += section;
  EndFor
  loft = newv;
  ThruSections(loft) = {sections()};
  Recursive Delete{ Curve{rings()}; }
Return

// Draws the solid `ball`: the tumour, larger by the factor `swelling`, with its poles turned along the limb's radius.
Macro Ball
  ball = newv;
  Sphere(ball) = {0, 0, 0, swelling * radius / scale};
  Rotate{ {0, 1, 0}, {0, 0, 0}, Pi / 2 }{ Volume{ball}; }
  If (tumour_x != 0 || tumour_y != 0)
    Rotate{ {0, 0, 1}, {0, 0, 0}, Atan2(tumour_y, tumour_x) }{ Volume{ball}; }
  EndIf
  Translate{ tumour_x / scale, tumour_y / scale, tumour_z / scale }{ Volume{ball}; }
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

wide() = {0.72, 0.83, 0.98, 1.1, 1.14};
deep() = {0.7, 0.8, 0.92, 1.0, 1.02};
shift = 0;
layer = 0;
Call Loft;
limb = loft;
drawn() = {Mass Volume{limb}};
// 1 mL = 1000 mm^3
scale = (1000 * volume / drawn(0))^(1 / 3);
radius = (3 * 1000 * tumour_volume / (4 * Pi))^(1 / 3);

layer = fat_thickness / scale;
If (layer < 0.03 || layer > 0.25)
  Error("fat_thickness of %g mm: this volume takes %g to %g mm", fat_thickness, 0.03 * scale, 0.25 * scale);
EndIf
Call Loft;
muscle = loft;

wide() = {0.26, 0.18, 0.16, 0.18, 0.24};
deep() = {0.26, 0.18, 0.16, 0.18, 0.24};
shift = -0.1;
layer = 0;
Call Loft;
bone = loft;

swelling = 1.3;
body = limb;
Call Place;
If (place < 2)
  Error("the tumour (radius %g mm) is not inside the limb by 0.15 radii: move it or make it smaller", radius);
EndIf
body = bone;
Call Place;
If (place > 0)
  Error("the tumour (radius %g mm) is not off the bone by 0.15 radii: move it or make it smaller", radius);
EndIf
body = muscle;
Call Place;
swollen = place;
swelling = 0.85;
Call Place;
If (place != swollen)
  Error("the tumour (radius %g mm) grazes the muscle's border: move it by half its radius", radius);
EndIf
swelling = 1;
Call Ball;
tumour = ball;

fat() = BooleanDifference{ Volume{limb}; Delete; }{ Volume{muscle}; Volume{tumour}; };
muscle() = BooleanDifference{ Volume{muscle}; Delete; }{ Volume{bone}; Volume{tumour}; };
Coherence;
Dilate{ {0, 0, 0}, {scale, scale, scale} }{ Volume{:}; }

Physical Volume("fat") = fat();
Physical Volume("muscle") = muscle();
Physical Volume("bone") = {bone};
Physical Volume("tumour") = {tumour};

reach = 2 * scale;
end = 1.9 * scale;
slack = 1e-3 * scale;
skin() = Abs(CombinedBoundary{ Volume{:}; });
proximal() = Surface In BoundingBox{-reach, -reach, end - slack, reach, reach, end + slack};
distal() = Surface In BoundingBox{-reach, -reach, -end - slack, reach, reach, -end + slack};
skin() -= proximal();
skin() -= distal();
Physical Surface("skin") = skin();
Physical Surface("proximal") = proximal();
Physical Surface("distal") = distal();

// Two elements' length of a thin layer is the longest that still makes well-shaped cells in it.
MeshSize{ PointsOf{ Volume{fat()}; } } = 2 * fat_thickness;
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
Field[1].VOut = 1 * scale;
Field[1].Thickness = (1 * scale - tumour_size) / 0.4;
Background Field = 1;
