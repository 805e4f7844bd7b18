// Package eval measures trained networks: error metrics, records of single predictions, ensembles,
// and tables beside the paper's values. Curves, comparisons and pages are in package report.
//
// Letters: N images, C/H/W channels, height and width of an image, K classes. Images are [N, C, H,
// W] row-major, logits [N, K].
//
// # What a figure means
//
// Every image of a split counts exactly once: a short last batch is counted as it is, neither
// dropped nor padded. An image's rank is the number of classes whose logit is greater than its
// label's, plus those of a lower index whose logit is equal: of equal logits the lower class index
// wins. Top-k is wrong when the rank is k or more. Errors are percentages of N; top-5 is left out
// for fewer than 5 classes. The loss is the mean of log Σ exp(z) − z[label] in float64. Losses are
// added up in the order of the images in the split, so no figure depends on the batch size or on
// the order of evaluation.
//
// # Errors
//
// Errors name the split's image or the file. ErrNonFinite marks logits that are NaN or infinite,
// ErrLabel a label that the network has no class for, ErrModel a file that cannot be evaluated.
// Nothing panics on input, and nothing here prints: everything is written to an io.Writer or to a
// file of the caller's.
//
// # Hostile names
//
// Class names and file names come from data sets of unknown origin. They are escaped where they are
// shown: control characters for terminals and CSV, formulas for spreadsheets, markup in Markdown;
// HTML and SVG are package report's.
//
// # How to add a protocol
//
// The views of an image (crops, scales) are a Protocol. Its text is in every row of a table
// and is part of the key of the paper's values in papers.go, so that figures of different protocols
// never stand side by side.
package eval
