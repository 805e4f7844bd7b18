package spec

// Offsets in kernel.Tile.
const (
	TileX       = 0
	TileW       = 24
	TileY       = 48
	TileTaps    = 72
	TileTapsLen = 80
	TileIn      = 96
	TileRows    = 104
	TileXRow    = 112
	TileYRow    = 120
	TileYPixel  = 128
	TilePlanes  = 136
	TileXPlane  = 144
	TileWPlane  = 152
	TileYPlane  = 160
	TileW2      = 168
	TileY2      = 176
)

// Offsets in kernel.GradTile.
const (
	GradX       = 0
	GradDY      = 24
	GradDW      = 48
	GradTapsAt  = 72
	GradTapsLen = 80
	GradPixels  = 96
	GradRows    = 104
	GradXRow    = 112
	GradDYRow   = 120
	GradDYPlane = 128
	GradDWTap   = 136
	GradDY2     = 144
	GradDW2     = 152
)

// Offsets in kernel.Transform.
const (
	TransSrc    = 0
	TransDst    = 24
	TransSrcRow = 48
	TransPlane  = 56
	TransTiles  = 64
	TransRows   = 72
	TransStep   = 80
	TransBuf    = 88
)

// Offsets in kernel.DotTile.
const (
	DotX    = 0
	DotW    = 24
	DotY    = 48
	DotXRow = 72
	DotWRow = 80
	DotYRow = 88
	DotLen  = 96
)

// Offsets in kernel.RowTile.
const (
	RowA     = 0
	RowX     = 24
	RowY     = 48
	RowARow  = 72
	RowACol  = 80
	RowXRow  = 88
	RowYRow  = 96
	RowInner = 104
	RowVecs  = 112
	RowLoad  = 120
)

// Offsets in kernel.GroupTile and kernel.GroupGrad.
const (
	GroupX          = 0
	GroupW          = 24
	GroupY          = 48
	GroupTaps       = 72
	GroupTapsLen    = 80
	GroupRows       = 96
	GroupXRow       = 104
	GroupYRow       = 112
	GroupYPixel     = 120
	GroupGradPixels = 96
	GroupGradRows   = 104
	GroupGradXRow   = 112
	GroupGradDYRow  = 120
)

// Offsets in kernel.Affine.
const (
	AffX      = 0
	AffR      = 24
	AffY      = 48
	AffS      = 72
	AffT      = 80
	AffS2     = 88
	AffPixels = 96
	AffRows   = 104
	AffXRow   = 112
	AffRRow   = 120
	AffYRow   = 128
	AffXPixel = 136
)

// Offsets in kernel.Moments.
const (
	MomX      = 0
	MomPixels = 24
	MomShift  = 32
	MomS1     = 40
	MomS2     = 48
	MomY      = 56 // of kernel.NarrowMoments
)

// Offsets in kernel.Mask.
const (
	MaskD      = 0
	MaskR      = 24
	MaskM      = 48
	MaskZ      = 72
	MaskG      = 96
	MaskS      = 120
	MaskT      = 128
	MaskMean   = 136
	MaskS1     = 144
	MaskS2     = 152
	MaskPixels = 160
)

// Offsets in kernel.Window.
const (
	WinX       = 0
	WinY       = 24
	WinD       = 48
	WinDX      = 72
	WinTaps    = 96
	WinTapsLen = 104
	WinPixels  = 120
	WinXPixel  = 128
	WinScale   = 136
)

// Offsets in kernel.Response.
const (
	RespX = 0
	RespS = 24
	RespY = 48
	RespD = 72
	RespT = 96
	RespN = 120
	RespK = 128
)

// GroupStrip is the largest number of pixels of a kernel of groups.
const GroupStrip = 8

// Offsets in kernel.BF16Tile.
const (
	BFTileX       = 0
	BFTileW       = 24
	BFTileY       = 48
	BFTileTaps    = 72
	BFTileTapsLen = 80
	BFTileAt      = 96
	BFTileAtLen   = 104
	BFTileXPixel  = 120
	BFTileYPixel  = 128
	BFTileW2      = 136
	BFTileY2      = 144
	BFTileConfig  = 152
)

// Offsets in kernel.BF16Grad.
const (
	BFGradX      = 0
	BFGradDY     = 24
	BFGradDW     = 48
	BFGradAt     = 72
	BFGradAtLen  = 80
	BFGradXRow   = 96
	BFGradSteps  = 104
	BFGradDY2    = 112
	BFGradDW2    = 120
	BFGradConfig = 128
)

// Offsets in kernel.Joined and kernel.Transposed.
const (
	JoinedX         = 0
	JoinedX2        = 24
	JoinedY         = 48
	JoinedN         = 72
	JoinedStep      = 80
	TransposedX     = 0
	TransposedY     = 24
	TransposedSteps = 48
	TransposedYRow  = 56
)

// Offsets in kernel.Gathered.
const (
	GatheredX     = 0
	GatheredY     = 24
	GatheredN     = 48
	GatheredLane  = 56
	GatheredStep  = 64
	GatheredLanes = 72
)

// Offsets in kernel.Mixed.
const (
	MixedX    = 0
	MixedY    = 96
	MixedN    = 120
	MixedStep = 128
)
