// unit: mm
// volume: cortex + medulla + pelvis
// A kidney: a bean with a rounded notch at the hilum, of cortex, medulla and renal pelvis.
// Regions: cortex, medulla, pelvis. Surfaces: surface, and hilum where the pelvis opens to the outside.
// Axes: x across (hilum at +x), y along the poles, z through the thickness.
//
// Proportions are estimates: length : width : thickness are 2 : 1.1 : 1, of a rat kidney (about
// 21 x 11 x 10 mm at 1.3 mL) as of a human one (about 10 x 5.5 x 5 cm at 150 mL). The cortex is about
// 70 % of the volume and the pelvis about 5 %, estimates as well.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {1.3, Min 1e-6, Name "Parameters/1 volume [mL]"}
];

// Drawn with a half-thickness of 1, then scaled to the volume.
// The seams of the ellipsoids are turned away from the hilum: an edge across one can't be rounded. Their
// poles are turned to the kidney's, where the surface is nearly round: there it meshes reliably.
bean = 1;
Sphere(bean) = {0, 0, 0, 1};
Rotate{ {1, 0, 0}, {0, 0, 0}, Pi / 2 }{ Volume{bean}; }
Rotate{ {0, 1, 0}, {0, 0, 0}, Pi }{ Volume{bean}; }
Dilate{ {0, 0, 0}, {1.1, 2, 1} }{ Volume{bean}; }

notch = 2;
Sphere(notch) = {0, 0, 0, 1};
Dilate{ {0, 0, 0}, {0.55, 0.75, 0.7} }{ Volume{notch}; }
Translate{ 1.32, 0, 0 }{ Volume{notch}; }
BooleanDifference{ Volume{bean}; Delete; }{ Volume{notch}; Delete; }
rim() = Curve In BoundingBox{0.5, -1.5, -1.5, 1.5, 1.5, 1.5};
bean() = Fillet{ bean }{ rim() }{ 0.4 };

medulla = 10;
Sphere(medulla) = {0, 0, 0, 1};
Rotate{ {1, 0, 0}, {0, 0, 0}, Pi / 2 }{ Volume{medulla}; }
Rotate{ {0, 1, 0}, {0, 0, 0}, Pi }{ Volume{medulla}; }
Dilate{ {0, 0, 0}, {0.66, 1.5, 0.6} }{ Volume{medulla}; }
Translate{ -0.02, 0, 0 }{ Volume{medulla}; }

pelvis = 11;
Sphere(pelvis) = {0, 0, 0, 1};
// The poles of the ellipsoid are turned off the curve where it leaves the medulla: cells are poor there.
Rotate{ {0, 1, 0}, {0, 0, 0}, Pi / 2 }{ Volume{pelvis}; }
Dilate{ {0, 0, 0}, {0.45, 0.6, 0.36} }{ Volume{pelvis}; }
Translate{ 0.52, 0, 0 }{ Volume{pelvis}; }

pelvis() = BooleanIntersection{ Volume{pelvis}; Delete; }{ Volume{bean()}; };
cortex() = BooleanDifference{ Volume{bean()}; Delete; }{ Volume{medulla}; Volume{pelvis()}; };
medulla() = BooleanDifference{ Volume{medulla}; Delete; }{ Volume{pelvis()}; };
Coherence;

drawn() = {Mass Volume{cortex(0)}, Mass Volume{medulla(0)}, Mass Volume{pelvis(0)}};
// 1 mL = 1000 mm^3
scale = (1000 * volume / (drawn(0) + drawn(1) + drawn(2)))^(1 / 3);
Dilate{ {0, 0, 0}, {scale, scale, scale} }{ Volume{:}; }

Physical Volume("cortex") = cortex();
Physical Volume("medulla") = medulla();
Physical Volume("pelvis") = pelvis();

outer() = Abs(CombinedBoundary{ Volume{:}; });
surface() = outer();
surface() -= Abs(Boundary{ Volume{pelvis()}; });
hilum() = outer();
hilum() -= surface();
Physical Surface("surface") = surface();
Physical Surface("hilum") = hilum();

// 20 elements around each bend keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 20;
