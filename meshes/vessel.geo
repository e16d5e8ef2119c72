// unit: mm
// volume: tissue + tumour
// A block of tissue with a spherical tumour and a straight large vessel, open, that runs past or touches it.
// Regions: tissue, tumour. Surfaces: vessel (the inside of the channel), surface.
// Axes: z along the vessel, x from the tumour to the vessel; the origin is the middle of the tumour.
//
// Proportions are estimates: a cube of tissue. `gap` is the least distance between tumour and vessel.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {64, Min 1e-3, Name "Parameters/1 volume [mL]"},
  tumour_volume = {volume / 64, Min 1e-9, Name "Parameters/2 tumour volume [mL]"},
  vessel = {3 * (volume / 64)^(1 / 3), Min 1e-9, Name "Parameters/3 diameter of the vessel [mm]"},
  gap = {1 * (volume / 64)^(1 / 3), Min 1e-9, Name "Parameters/4 distance from tumour to vessel [mm]"}
];

// 1 mL = 1000 mm^3
radius = (3000 * tumour_volume / (4 * Pi))^(1 / 3);
// The channel takes its part of the cube: a few rounds find the side that leaves the volume exact.
side = (1000 * volume)^(1 / 3);
For round In {1 : 8}
  side = (1000 * volume + Pi / 4 * vessel^2 * side)^(1 / 3);
EndFor
If (vessel < 0.02 * side || vessel > 0.2 * side)
  Error("vessel of %g mm: this block takes %g to %g mm", vessel, 0.02 * side, 0.2 * side);
EndIf
If (gap < 0.2 * vessel || radius + gap + vessel > 0.45 * side)
  Error("the vessel is nearer to the tumour than %g mm, or not well inside the block of %g mm: change gap", 0.2 * vessel, side);
EndIf

Box(1) = {-side / 2, -side / 2, -side / 2, side, side, side};
Cylinder(2) = {radius + gap + vessel / 2, 0, -side, 0, 0, 2 * side, vessel / 2};
Sphere(3) = {0, 0, 0, radius};
tissue() = BooleanDifference{ Volume{1}; Delete; }{ Volume{2}; Delete; };
tissue() = BooleanDifference{ Volume{tissue()}; Delete; }{ Volume{3}; };
Coherence;

Physical Volume("tissue") = tissue();
Physical Volume("tumour") = {3};

slack = 1e-3 * side;
far = side;
faces() = {};
For sign In {-1 : 1 : 2}
  at = sign * side / 2;
  faces() += Surface In BoundingBox{at - slack, -far, -far, at + slack, far, far};
  faces() += Surface In BoundingBox{-far, at - slack, -far, far, at + slack, far};
  faces() += Surface In BoundingBox{-far, -far, at - slack, far, far, at + slack};
EndFor
vessel() = Abs(CombinedBoundary{ Volume{:}; });
vessel() -= faces();
Physical Surface("vessel") = vessel();
Physical Surface("surface") = faces();

// 24 elements around each bend keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 24;
