// unit: mm
// A sphere, with an optional concentric core.
// Regions: body, and core where core > 0. Surface: surface.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {1, Min 1e-6, Name "Parameters/1 volume [mL]"},
  radius = {0, Min 0, Name "Parameters/2 radius (0: from the volume) [mm]"},
  core = {0, Min 0, Name "Parameters/3 radius of the core (0: none) [mm]"}
];

// 1 mL = 1000 mm^3
outer_radius = radius > 0 ? radius : (1000 * volume * 3 / (4 * Pi))^(1 / 3);
If (core >= outer_radius)
  Error("the core's radius %g mm must be smaller than the sphere's %g mm", core, outer_radius);
EndIf

Sphere(1) = {0, 0, 0, outer_radius};
If (core > 0)
  Sphere(2) = {0, 0, 0, core};
  BooleanFragments{ Volume{1}; Delete; }{ Volume{2}; Delete; }
  Physical Volume("core") = {2};
EndIf
body() = Volume{:};
body() -= {2};
Physical Volume("body") = body();
Physical Surface("surface") = Abs(CombinedBoundary{ Volume{:}; });

// 40 elements around a great circle keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 40;
