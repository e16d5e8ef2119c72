// unit: mm
// volume: body + skin + tumour
// The trunk of a mouse with a spherical tumour that bulges under the skin of its flank.
// Regions: body, tumour, skin. Surfaces: skin, ends (the cuts towards head and tail).
// Axes: x to the side of the tumour, z along the trunk; the origin is the middle of the trunk.
//
// Proportions are estimates: a round trunk twice as long as wide, 25 mm across at 25 mL, under 0.5 mm of skin. A third
// of the tumour's radius is sunk below the surface of the body. The volume is good from 15 mL (a mouse) to 1000 mL.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {25, Min 1e-3, Name "Parameters/1 volume [mL]"},
  tumour_volume = {volume / 100, Min 1e-9, Name "Parameters/2 tumour volume [mL]"},
  skin_thickness = {0.5 * (volume / 25)^(1 / 3), Min 1e-9, Name "Parameters/3 thickness of the skin [mm]"},
  sunk = {0.33, Min 0, Max 0.6, Name "Parameters/4 depth of the tumour's middle below the body's surface, in its radii [-]"}
];

// 1 mL = 1000 mm^3
radius = (3000 * tumour_volume / (4 * Pi))^(1 / 3);
trunk = (1000 * volume / (4 * Pi))^(1 / 3);
If (radius < 0.1 * trunk || radius > 0.6 * trunk)
  Error("tumour_volume of %g mL: this trunk takes %g to %g mL", tumour_volume, volume / 3000, 0.07 * volume);
EndIf
If (skin_thickness < 0.02 * trunk || skin_thickness > 0.1 * trunk)
  Error("skin_thickness of %g mm: this trunk takes %g to %g mm", skin_thickness, 0.02 * trunk, 0.1 * trunk);
EndIf

// Draws the solid `whole`: trunk and tumour together, each larger by `layer`. Seam and poles are turned to where they
// cross the crease between the two squarely, or not at all.
Macro Whole
  whole = newv;
  Cylinder(whole) = {0, 0, -length / 2, 0, 0, length, trunk + layer};
  Rotate{ {0, 0, 1}, {0, 0, 0}, Pi }{ Volume{whole}; }
  Call Ball;
  united() = BooleanUnion{ Volume{whole}; Delete; }{ Volume{ball}; Delete; };
  whole = united(0);
Return

Macro Ball
  ball = newv;
  Sphere(ball) = {0, 0, 0, radius + layer};
  Rotate{ {0, 1, 0}, {0, 0, 0}, Pi / 2 }{ Volume{ball}; }
  Translate{ trunk - sunk * radius, 0, 0 }{ Volume{ball}; }
Return

// The bulge is a small part of the whole: a few rounds find the trunk that leaves the volume exact.
layer = skin_thickness;
For round In {1 : 6}
  length = 4 * trunk;
  Call Whole;
  drawn() = {Mass Volume{whole}};
  If (round < 6)
    trunk *= (1000 * volume / drawn(0))^(1 / 3);
    Recursive Delete{ Volume{whole}; }
  EndIf
EndFor
outside = whole;

layer = 0;
Call Whole;
inside = whole;
Call Ball;
tumour = ball;

skin() = BooleanDifference{ Volume{outside}; Delete; }{ Volume{inside}; };
body() = BooleanDifference{ Volume{inside}; Delete; }{ Volume{tumour}; };
Coherence;

Physical Volume("body") = body();
Physical Volume("skin") = skin();
Physical Volume("tumour") = {tumour};

reach = 2 * trunk + 2 * radius;
slack = 1e-3 * trunk;
ends() = Surface In BoundingBox{-reach, -reach, length / 2 - slack, reach, reach, length / 2 + slack};
ends() += Surface In BoundingBox{-reach, -reach, -length / 2 - slack, reach, reach, -length / 2 + slack};
surface() = Abs(CombinedBoundary{ Volume{:}; });
surface() -= ends();
Physical Surface("skin") = surface();
Physical Surface("ends") = ends();

// Three elements' length of the skin, a compromise: its cells are flat, but half as many.
MeshSize{ PointsOf{ Volume{skin()}; } } = 3 * skin_thickness;
// 24 elements around each bend keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 24;
