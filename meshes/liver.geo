// unit: mm
// volume: right_lobe + left_lobe
// A liver: a wedge of two lobes, domed above, hollowed below and behind, with a rounded rim that a fissure
// parts between the lobes. Regions: right_lobe, left_lobe. Surfaces: surface.
// Axes: x to the left, y to the back, z up.
//
// Proportions are estimates: width : height : depth are 1.6 : 1.1 : 1, of a human liver (about 21 x 14 x 13 cm
// at 1.5 L); the left lobe, up to the falciform ligament, is about a fifth. A rat's liver (about 10 mL) has
// more lobes: this is its outline at best.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {10, Min 1e-6, Name "Parameters/1 volume [mL]"}
];

// Drawn with a half-width of 1.25, then scaled to the volume.
// The seam of the dome is turned up and its poles to the front and back right, away from the rim: an edge
// across a seam can't be rounded.
dome = 1;
Sphere(dome) = {0, 0, 0, 1};
Rotate{ {0, 1, 0}, {0, 0, 0}, -Pi / 2 }{ Volume{dome}; }
Rotate{ {0, 0, 1}, {0, 0, 0}, Pi / 2 + 0.55 }{ Volume{dome}; }
Dilate{ {0, 0, 0}, {1.25, 0.75, 0.85} }{ Volume{dome}; }

hollow = 2;
Sphere(hollow) = {1.2, 0.9, -2, 2.3};
liver() = BooleanDifference{ Volume{dome}; Delete; }{ Volume{hollow}; Delete; };
rim() = Abs(Boundary{ Surface{2}; });
liver() = Fillet{ liver() }{ rim() }{ 0.1 };

// Poles and seam of the fissure lie outside the liver. Its crest is nearly as round as the rim.
fissure = 3;
Sphere(fissure) = {0, 0, 0, 1};
Rotate{ {0, 1, 0}, {0, 0, 0}, Pi / 2 }{ Volume{fissure}; }
Dilate{ {0, 0, 0}, {0.13, 0.24, 0.24} }{ Volume{fissure}; }
Translate{ 0.35, -0.62, -0.5 }{ Volume{fissure}; }
liver() = BooleanDifference{ Volume{liver()}; Delete; }{ Volume{fissure}; Delete; };

left_side = 10;
Box(left_side) = {0.35, -2, -2, 4, 4, 4};
left() = BooleanIntersection{ Volume{liver()}; }{ Volume{left_side}; };
right() = BooleanDifference{ Volume{liver()}; Delete; }{ Volume{left_side}; Delete; };
Coherence;

drawn() = {Mass Volume{right(0)}, Mass Volume{left(0)}};
// 1 mL = 1000 mm^3
scale = (1000 * volume / (drawn(0) + drawn(1)))^(1 / 3);
Dilate{ {0, 0, 0}, {scale, scale, scale} }{ Volume{:}; }

Physical Volume("right_lobe") = right();
Physical Volume("left_lobe") = left();
Physical Surface("surface") = Abs(CombinedBoundary{ Volume{:}; });

// 20 elements around each bend keep the volume within 1 %.
Mesh.MeshSizeFromCurvature = 20;
// The poles of ellipsoids have flat triangles with Gmsh's other algorithms.
Mesh.Algorithm = 1;
