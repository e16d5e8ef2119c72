// unit: mm
// volume: prostate
// A prostate with the urethra through it and the rectum behind it, in the tissue of the pelvis.
// Regions: prostate, rectal_wall, pelvis. Surfaces: urethra and rectum (the insides of the two channels), surface.
// Axes as in medical images: x to the left, y to the back, z upwards; the origin is the middle of the prostate.
//
// Proportions are estimates: a prostate of 47 x 33 x 37 mm (width, depth, height) at 30 mL; a urethra of 6 mm, as wide
// as the catheter in it; a rectum of 24 mm with a wall of 4 mm, 3 mm behind the prostate; the pelvis is a block. All
// grow with the volume, good from 15 to 150 mL; the urethra runs straight.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {30, Min 1e-3, Name "Parameters/1 volume of the prostate [mL]"}
];

// Drawn in mm as at 30 mL, then scaled to the volume.
prostate = 1;
Sphere(prostate) = {0, 0, 0, 1};
// Poles to the sides and the seam to the front: the urethra leaves through the top and the bottom.
Rotate{ {0, 1, 0}, {0, 0, 0}, Pi / 2 }{ Volume{prostate}; }
Rotate{ {1, 0, 0}, {0, 0, 0}, -Pi / 2 }{ Volume{prostate}; }
Dilate{ {0, 0, 0}, {23.5, 16.5, 18.5} }{ Volume{prostate}; }

height = 64;
low = -height / 2;
urethra = 2;
Cylinder(urethra) = {0, -3, low - 1, 0, 0, height + 2, 3};
back = 16.5 + 3 + 16;
rectum = 3;
Cylinder(rectum) = {0, back, low - 1, 0, 0, height + 2, 12};
wall = 4;
Cylinder(wall) = {0, back, low, 0, 0, height, 16};
pelvis = 5;
Box(pelvis) = {-38, -32, low, 76, 98, height};

prostate() = BooleanDifference{ Volume{prostate}; Delete; }{ Volume{urethra}; };
wall() = BooleanDifference{ Volume{wall}; Delete; }{ Volume{rectum}; };
pelvis() = BooleanDifference{ Volume{pelvis}; Delete; }{ Volume{urethra, rectum}; Delete; };
pelvis() = BooleanDifference{ Volume{pelvis()}; Delete; }{ Volume{prostate(), wall()}; };
Coherence;

drawn() = {Mass Volume{prostate(0)}};
// 1 mL = 1000 mm^3
scale = (1000 * volume / drawn(0))^(1 / 3);
Dilate{ {0, 0, 0}, {scale, scale, scale} }{ Volume{:}; }

Physical Volume("prostate") = prostate();
Physical Volume("rectal_wall") = wall();
Physical Volume("pelvis") = pelvis();

// The six faces of the block; each of them lies between two planes that are close together.
far = 1000 * scale;
slack = 0.01 * scale;
faces() = {};
For sign In {-1 : 1 : 2}
  x = sign * 38 * scale;
  z = sign * height / 2 * scale;
  y = (sign < 0 ? -32 : 66) * scale;
  faces() += Surface In BoundingBox{x - slack, -far, -far, x + slack, far, far};
  faces() += Surface In BoundingBox{-far, y - slack, -far, far, y + slack, far};
  faces() += Surface In BoundingBox{-far, -far, z - slack, far, far, z + slack};
EndFor
channels() = Abs(CombinedBoundary{ Volume{:}; });
channels() -= faces();
urethra() = channels();
urethra() -= Abs(Boundary{ Volume{wall()}; });
rectum() = channels();
rectum() -= urethra();
Physical Surface("urethra") = urethra();
Physical Surface("rectum") = rectum();
Physical Surface("surface") = faces();

MeshSize{ PointsOf{ Volume{wall()}; } } = 8 * scale;
// 24 elements around each bend keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 24;
