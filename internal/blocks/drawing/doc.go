// Package drawing draws networks as He et al. 2016 do: a whole one as in Figure 3, with a column
// for each stage, its building blocks as in Figure 5.
//
// It reads the list of layers that blocks.Summarize makes, which has the edges of the graph, so
// that a drawing cannot show another network than the one that is trained. Layers become boxes: a
// convolution takes the normalisation and activation with it that follow it, an addition is "+".
// DOT leaves the arrangement to Graphviz, SVG has its own.
//
// # How a drawing is made
//
// boxesOf joins layers, fold draws equal blocks once, columnsOf divides boxes into columns by the
// size of their maps. DOT writes that down; SVG places each block's boxes in lanes (the way through
// the block is the first, a projection the second, branches of a module one each) and rows, and
// shortcuts past them as curves.
package drawing
