package eval

import (
	"fmt"
	"strings"
)

// Lesions says in sentences what leaving out a part of one block after another does: of each whole
// network of the rows with those that follow it and lack a part.
func Lesions(rows []Row) []string {
	var said []string
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && rows[j].Without != "" {
			j++
		}
		if j > i+1 {
			said = append(said, lesion(rows[i], rows[i+1:j]))
		}
		i = j
	}
	return said
}

// lesion compares a whole network with itself without a part of each of its blocks.
func lesion(whole Row, lacking []Row) string {
	sample := func(r Row) Sample { return Sample{Error: r.Top1Error, Images: r.N} }
	least, most := lacking[0], lacking[0]
	var worse []string
	for _, r := range lacking {
		if r.Top1Error < least.Top1Error {
			least = r
		}
		if r.Top1Error > most.Top1Error {
			most = r
		}
		if Compare(sample(r), sample(whole)).Sign() > 0 {
			worse = append(worse, block(r))
		}
	}
	part, _, _ := strings.Cut(most.Without, " ")
	what := fmt.Sprintf("%s without the %s of one block: from %.2f %% (%s) to %.2f %% (%s), with all %.2f %%; ", whole.Model, part,
		least.Top1Error, block(least), most.Top1Error, block(most), whole.Top1Error)
	if len(worse) == 0 {
		return what + "no block beyond the noise."
	}
	return what + fmt.Sprintf("worse beyond the noise for %d of %d blocks: %s.", len(worse), len(lacking), strings.Join(worse, ", "))
}

// block is the one that a row lacks a part of.
func block(r Row) string { return r.Without[strings.LastIndexByte(r.Without, ' ')+1:] }
