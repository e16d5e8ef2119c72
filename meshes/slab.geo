// unit: mm
// A slab along x, from x = 0 to x = thickness, with a square cross-section; optionally of two layers.
// Regions: body, and layer beyond interface where interface > 0. Surfaces: left, right, sides.
SetFactory("OpenCASCADE");

DefineConstant[
  thickness = {10, Min 1e-6, Name "Parameters/1 thickness [mm]"},
  width = {2, Min 1e-6, Name "Parameters/2 width [mm]"},
  interface = {0, Min 0, Name "Parameters/3 place of the interface (0: none) [mm]"}
];

If (interface >= thickness)
  Error("the interface at %g mm must lie inside the thickness of %g mm", interface, thickness);
EndIf

If (interface > 0)
  Box(1) = {0, -width / 2, -width / 2, interface, width, width};
  Box(2) = {interface, -width / 2, -width / 2, thickness - interface, width, width};
  BooleanFragments{ Volume{1}; Delete; }{ Volume{2}; Delete; }
  Physical Volume("layer") = {2};
Else
  Box(1) = {0, -width / 2, -width / 2, thickness, width, width};
EndIf
Physical Volume("body") = {1};

slack = 1e-6 * (thickness + width);
left() = Surface In BoundingBox{-slack, -width, -width, slack, width, width};
right() = Surface In BoundingBox{thickness - slack, -width, -width, thickness + slack, width, width};
sides() = Abs(CombinedBoundary{ Volume{:}; });
sides() -= left();
sides() -= right();
Physical Surface("left") = left();
Physical Surface("right") = right();
Physical Surface("sides") = sides();
