package datasets

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"resnet/internal/text"
)

// NameNumber is the Config.LabelPattern of names such as cat.0.jpg, cat_12.jpg and cat003.jpg: the
// class is what stands before the number at the end of the file's name.
const NameNumber = "name-number"

const nameNumber = `(?:^|/)([^/]*?[^/0-9._ -])[._ -]*[0-9]+\.[^./]+$`

// labelPattern takes the class, and maybe the split, out of an image's path.
type labelPattern struct {
	text         string
	re           *regexp.Regexp
	class, split int // groups; split is -1 without one
}

// parseLabelPattern reads Config.LabelPattern: NameNumber, or a regular expression whose group
// named class, else whose first one, is the class; a group named split is the split.
func parseLabelPattern(pattern string) (labelPattern, error) {
	p := labelPattern{text: pattern}
	if pattern == NameNumber {
		pattern = nameNumber
	}
	var err error
	if p.re, err = regexp.Compile(pattern); err != nil {
		return p, faultf(ErrConfig, "%w", err)
	}
	p.class, p.split = p.re.SubexpIndex("class"), p.re.SubexpIndex("split")
	if p.class < 0 {
		p.class = 1
	}
	if p.re.NumSubexp() == 0 || p.class == p.split {
		return p, faultf(ErrConfig, `%q has no group for the class, such as ^([^_]+)_`, p.text)
	}
	return p, nil
}

// openNamed lists the images below a folder whose paths have their class in them, with slashes and
// from the folder; divided says that nothing says their splits: neither the pattern nor folders
// that are called train, val or test.
func (p *photoSet) openNamed(pattern, dir string) (divided bool, err error) {
	of, err := parseLabelPattern(pattern)
	if err != nil {
		return false, fmt.Errorf("data.label_pattern: %w", err)
	}
	finder, err := newImageFinder(dir)
	if err != nil {
		return false, err
	}
	inSplits := false
	splits := make([]Split, len(finder.paths))
	for i, path := range finder.paths {
		if first, _, below := strings.Cut(path, "/"); below && of.split < 0 {
			splits[i], _ = splitNamed(first)
			inSplits = inSplits || splits[i] != ""
		}
	}
	var rows []labelRow
	var unlike []string
	for i, path := range finder.paths {
		m := of.re.FindStringSubmatch(path)
		if m == nil || m[of.class] == "" || inSplits && splits[i] == "" {
			unlike = append(unlike, path)
			continue
		}
		row := labelRow{path: path, class: m[of.class], split: splits[i]}
		if of.split >= 0 {
			if row.split, err = splitCell(m[of.split]); err != nil {
				return false, fmt.Errorf("folder: %s: %w", path, err)
			}
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		such := ""
		if len(unlike) > 0 {
			such = ", such as " + unlike[0]
		}
		return false, faultf(ErrMissing, "folder: data.label_pattern %s takes a class out of the paths of none of the %s in %s%s", of.text, text.Count(len(unlike), "image"), dir, such)
	}
	if len(unlike) > 0 {
		p.notes = append(p.notes, fmt.Sprintf("left out: %s without a class by data.label_pattern: %s", text.Count(len(unlike), "image"), listed(unlike, len(unlike), ", ")))
	}
	return p.takeRows(dir, "data.label_pattern", rows)
}

// classesByName are the classes that NameNumber makes of names, or none where that says nothing:
// fewer than two classes, many of few images, or many names that it does not match.
func classesByName(names []string) []string {
	p, err := parseLabelPattern(NameNumber)
	if err != nil {
		return nil
	}
	count := map[string]int{}
	matched := 0
	for _, name := range names {
		if m := p.re.FindStringSubmatch(name); m != nil {
			count[m[p.class]]++
			matched++
		}
	}
	if len(count) < 2 || matched < len(names)*9/10 || matched < 3*len(count) {
		return nil
	}
	return slices.Sorted(maps.Keys(count))
}
