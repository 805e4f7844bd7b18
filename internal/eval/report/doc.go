// Package report shows what was measured: learning curves in files and in a terminal, the page of a
// run, and comparisons of runs with a table, every measured point and what they show in sentences.
//
// It reads what a run folder holds (metrics.csv, config.yaml, env.json) and is given the rest: how
// a network was trained and where it is kept are not known here.
//
// # Findings
//
// Two errors differ by the rule of eval.Compare alone, and each difference is printed with its
// noise. What the figures do not show is said not to be shown.
//
// # Files
//
// Each file appears under its name complete or not at all. The same runs give the same bytes,
// except for what depends on the machine, which is in the table and on the page only. A page loads
// nothing from anywhere: styles, scripts and drawings are part of it. Everything in it that came
// from a file or a user is escaped.
//
// # How to add a figure
//
// A Figure is lines in panels; Comparison.Figures lists those of a comparison. The page draws it
// from its JSON form, DrawFigureSVG and DrawFigurePNG as a still picture; its ID names its files.
package report
