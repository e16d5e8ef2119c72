// unit: mm
// volume: cpa
// A cryobag as it is frozen between the plates of a cassette: a flat pouch with rounded corners and a rim
// that is half round. Regions: cpa, and film where film > 0. Surfaces: top, bottom, rim.
// Axes: x along the length, y along the width, z through the thickness.
//
// Proportions are estimates: length : width are 1.5 : 1, the thickness a sixth of the width where it is not
// given (60 x 90 x 10 mm at 50 mL). Films are 0.1 to 0.3 mm thick; as a thin film takes very many cells, the same
// resistance in the coefficients of the surfaces (about 1000 W/m2K) is the cheaper choice.
SetFactory("OpenCASCADE");

DefineConstant[
  volume = {50, Min 1e-6, Name "Parameters/1 volume of the fill [mL]"},
  thickness = {0, Min 0, Name "Parameters/2 thickness of the fill (0: a sixth of its width) [mm]"},
  film = {0, Min 0, Name "Parameters/3 thickness of the film (0: none) [mm]"}
];

// In plan a core of (1.5 w - t) by (w - t), of the width w and the thickness t of the fill, with corners of radius
// 0.1 w, and around it a rim that reaches outwards by t / 2. Its volume is t w^2 a + t^2 w b + t^3 c.
a = 1.5 - 0.01 * (4 - Pi);
b = -2.5 + Pi / 8 * (5 - 0.1 * (8 - 2 * Pi));
c = 1 - Pi / 2 + Pi / 6;
// 1 mL = 1000 mm^3
usual = (1000 * volume / (a / 6 + b / 36 + c / 216))^(1 / 3) / 6;
depth = thickness > 0 ? thickness : usual;
square = (depth * b)^2 + 4 * a * (1000 * volume / depth - depth^2 * c);
width = square > 0 ? (Sqrt(square) - depth * b) / (2 * a) : 0;
corner = 0.1 * width;
If (depth > 0.5 * width || depth < 0.05 * width)
  Error("a fill %g mm thick would be %g mm wide; give a thickness of 0.05 to 0.5 times the width", depth, width);
EndIf
If (film > 0.25 * depth)
  Error("a film of %g mm does not suit a fill %g mm thick; give one of up to a quarter of that", film, depth);
EndIf
// With cells of the length given below, that is about two million of them.
thinnest = 0.042 * volume^(1 / 3);
If (film > 0 && film < thinnest)
  Error("a film of %g mm takes too many cells; give at least %g mm, or 0 and its resistance at the surfaces", film, thinnest);
EndIf

// Half of the core's length and width without its corners.
half_x = (1.5 * width - depth) / 2 - corner;
half_y = (width - depth) / 2 - corner;

// The fill, then the fill with its film: half a disc swept around the core, and the core itself.
pouch() = {};
For layer In {0 : (film > 0 ? 1 : 0)}
  round = depth / 2 + layer * film;
  arc = newc;
  Circle(arc) = {0, 0, 0, round, -Pi / 2, Pi / 2};
  Line(arc + 1) = {PointsOf{ Curve{arc}; }};
  loop = newcl;
  Curve Loop(loop) = {arc, arc + 1};
  face = news;
  Plane Surface(face) = {loop};
  Rotate{ {1, 0, 0}, {0, 0, 0}, Pi / 2 }{ Surface{face}; }
  Translate{ half_x + corner, -half_y, 0 }{ Surface{face}; }
  swept() = {0, 0};
  parts() = {};
  For half In {1 : -1 : -2}
    swept() = Extrude{ 0, half * 2 * half_y, 0 }{ Surface{face}; };
    parts() += {swept(1)};
    swept() = Extrude{ {0, 0, 1}, {half * half_x, half * half_y, 0}, Pi / 2 }{ Surface{swept(0)}; };
    parts() += {swept(1)};
    swept() = Extrude{ -half * 2 * half_x, 0, 0 }{ Surface{swept(0)}; };
    parts() += {swept(1)};
    swept() = Extrude{ {0, 0, 1}, {-half * half_x, half * half_y, 0}, Pi / 2 }{ Surface{swept(0)}; };
    parts() += {swept(1)};
    face = swept(0);
  EndFor
  face = news;
  Rectangle(face) = {-half_x - corner, -half_y - corner, -round, 2 * (half_x + corner), 2 * (half_y + corner), corner};
  swept() = Extrude{ 0, 0, 2 * round }{ Surface{face}; };
  pouch() += BooleanUnion{ Volume{swept(1)}; Delete; }{ Volume{parts()}; Delete; };
EndFor

If (film > 0)
  BooleanFragments{ Volume{pouch(1)}; Delete; }{ Volume{pouch(0)}; Delete; }
  shell() = Volume{:};
  shell() -= {pouch(0)};
  Physical Volume("film") = shell();
  // The longest that keeps cells in it well-shaped enough for a step twice as dear as that of the best ones.
  MeshSize{ PointsOf{ Volume{shell()}; } } = 3.5 * film;
EndIf
Physical Volume("cpa") = {pouch(0)};

reach = width;
slack = 1e-3 * depth;
rim() = Abs(CombinedBoundary{ Volume{:}; });
top() = Surface In BoundingBox{-reach, -reach, round - slack, reach, reach, round + slack};
bottom() = Surface In BoundingBox{-reach, -reach, -round - slack, reach, reach, -round + slack};
rim() -= top();
rim() -= bottom();
Physical Surface("top") = top();
Physical Surface("bottom") = bottom();
Physical Surface("rim") = rim();

// A polygon has less area than the half circle of the rim: the thicker the pouch, the more of it is rim.
Mesh.MeshSizeFromCurvature = 14 + 20 * depth / width;
// Of thin layers, more cells than usual need to be improved.
Mesh.OptimizeThreshold = 0.4;
