// unit: mm
// volume: filling + fluid
// A spherical balloon in the cavity that a brain tumour leaves: a filling inside, a shell of particle fluid around it,
// then the rim of tissue at risk, and the brain around.
// Regions: filling, fluid, rim, brain. Surface: surface. The origin is the middle of the balloon.
//
// The volume is that of the balloon: 2 to 5 cm across (4.2 to 65 mL; Stauffer 2020, Int. J. Hyperthermia 37:1189) with
// 5 to 10 mm of tissue at risk around it. The thickness of the shell of fluid is an estimate, and so is the brain:
// a ball, as far as heat can tell, whose border is several times the length over which blood carries the heat away.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {14.1, Min 1e-3, Name "Parameters/1 volume of the balloon [mL]"},
  shell = {0.33 * (3000 * volume / (4 * Pi))^(1 / 3), Min 1e-6, Name "Parameters/2 thickness of the shell of fluid [mm]"},
  rim = {5, Min 1e-6, Name "Parameters/3 thickness of the rim [mm]"},
  brain = {20, Min 1e-6, Name "Parameters/4 thickness of the brain around the rim [mm]"}
];

// 1 mL = 1000 mm^3
balloon = (3000 * volume / (4 * Pi))^(1 / 3);
If (shell < 0.1 * balloon || shell > 0.9 * balloon)
  Error("shell of %g mm: this balloon takes %g to %g mm", shell, 0.1 * balloon, 0.9 * balloon);
EndIf
If (rim < 0.1 * balloon || brain < 0.1 * balloon)
  Error("rim of %g mm and brain of %g mm: this balloon takes %g mm or more", rim, brain, 0.1 * balloon);
EndIf

Sphere(1) = {0, 0, 0, balloon - shell};
Sphere(2) = {0, 0, 0, balloon};
Sphere(3) = {0, 0, 0, balloon + rim};
Sphere(4) = {0, 0, 0, balloon + rim + brain};
// The poles of one sphere are turned away from those of the others, and the seams as well.
Rotate{ {1, 0, 0}, {0, 0, 0}, Pi / 2 }{ Volume{2}; }
Rotate{ {0, 1, 0}, {0, 0, 0}, Pi / 2 }{ Volume{3}; }
Rotate{ {1, 1, 0}, {0, 0, 0}, Pi / 3 }{ Volume{4}; }
brain() = BooleanDifference{ Volume{4}; Delete; }{ Volume{3}; };
rim() = BooleanDifference{ Volume{3}; Delete; }{ Volume{2}; };
fluid() = BooleanDifference{ Volume{2}; Delete; }{ Volume{1}; };
Coherence;

Physical Volume("filling") = {1};
Physical Volume("fluid") = fluid();
Physical Volume("rim") = rim();
Physical Volume("brain") = brain();
Physical Surface("surface") = Abs(CombinedBoundary{ Volume{:}; });

// Two elements' length of a thin layer is the longest that still makes well-shaped cells in it.
MeshSize{ PointsOf{ Volume{fluid()}; } } = 2 * shell;
MeshSize{ PointsOf{ Volume{rim()}; } } = 2 * rim;
// 40 elements around a great circle keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 40;
