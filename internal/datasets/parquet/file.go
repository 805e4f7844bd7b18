package parquet

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"resnet/internal/datasets/fault"
)

// Names of the columns, as data sets of the Hugging Face hub have them.
var (
	imageColumns = []string{"image", "img"}
	labelColumns = []string{"label", "labels", "fine_label"}
)

const (
	maxFooter     = 16 << 20
	maxPageHeader = 1 << 20
	// maxRows bounds the rows of a file.
	maxRows = 1 << 24
)

// File is an open Parquet file: where its images are, and its labels. No images are held. Its
// methods may be called by several goroutines at once.
type File struct {
	Rows    int
	Labels  []int64  // NoLabel for null; nil where there is no column of them
	Classes []string // of the key huggingface; nil without

	in     io.ReaderAt
	size   int64 // bytes, without the footer
	footer int64 // bytes
	images column
	starts []int // first row of each row group
	groups []chunk
}

// column is a leaf of the schema.
type column struct {
	leaf     int // number among the leaves; -1: absent
	kind     format.Type
	codec    format.CompressionCodec
	maxLevel int // definition level of a value that is there
	name     string
}

// chunk is a column of a row group.
type chunk struct {
	codec      format.CompressionCodec
	dictionary *pageRef
	pages      []pageRef
}

// Open reads the footer, the headers of the pages and the labels of a file of so many
// bytes.
func Open(in io.ReaderAt, size int64) (*File, error) {
	f := &File{in: in}
	meta, err := f.readFooter(size)
	if err != nil {
		return nil, err
	}
	label, err := f.findColumns(meta.Schema)
	if err != nil {
		return nil, err
	}
	for _, kv := range meta.KeyValueMetadata {
		if kv.Key == "huggingface" {
			if f.Classes, err = hubClasses(kv.Value, label.name); err != nil {
				return nil, err
			}
		}
	}

	for g, group := range meta.RowGroups {
		if group.NumRows < 0 || group.NumRows > int64(maxRows-f.Rows) {
			return nil, fault.Dataf("row group %d has %d rows, and a file may have %d", g, group.NumRows, maxRows)
		}
		chunk, err := f.readChunk(group, f.images, maxPageValues)
		if err != nil {
			return nil, fmt.Errorf("row group %d: column %q: %w", g, f.images.name, err)
		}
		f.starts, f.groups = append(f.starts, f.Rows), append(f.groups, chunk)
		if label.leaf >= 0 {
			chunk, err := f.readChunk(group, label, maxRows)
			if err == nil {
				err = f.readLabels(label, chunk)
			}
			if err != nil {
				return nil, fmt.Errorf("row group %d: column %q: %w", g, label.name, err)
			}
		}
		f.Rows += int(group.NumRows)
	}
	return f, nil
}

func (f *File) readFooter(size int64) (*format.FileMetaData, error) {
	head, tail := make([]byte, 4), make([]byte, 8)
	if err := readAt(f.in, head, 0); err != nil {
		return nil, err
	}
	if string(head) != "PAR1" {
		return nil, fault.Dataf("it does not begin as Parquet does")
	}
	if size >= 12 {
		if err := readAt(f.in, tail, size-8); err != nil {
			return nil, err
		}
	}
	if string(tail[4:]) != "PAR1" {
		return nil, fault.Dataf("it does not end as Parquet does: is the download complete?")
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n > size-12 || n > maxFooter {
		return nil, fault.Dataf("a footer of %d bytes in a file of %d, and one may have %d", n, size, maxFooter)
	}
	f.size, f.footer = size-8-n, n
	footer := make([]byte, n)
	if err := readAt(f.in, footer, f.size); err != nil {
		return nil, err
	}
	meta := new(format.FileMetaData)
	_, err := decodeThrift(footer, meta)
	if errors.Is(err, errThriftEnd) {
		err = fault.Dataf("its footer ends early")
	}
	return meta, err
}

// findColumns finds images and labels among the schema's leaves, which are in depth-first order.
func (f *File) findColumns(schema []format.SchemaElement) (label column, err error) {
	f.images.leaf, label.leaf = -1, -1
	var names []string
	leaf, at := 0, 1
	var walk func(path []string, level int, repeated bool) error
	walk = func(path []string, level int, repeated bool) error {
		if at >= len(schema) || len(path) > maxThriftDepth {
			return fault.Dataf("its schema is cut off or nested too deep")
		}
		e := schema[at]
		at++
		path = append(slices.Clone(path), e.Name)
		switch e.RepetitionType.V {
		case format.Optional:
			level++
		case format.Repeated:
			repeated = true
		}
		if n := e.NumChildren.V; e.NumChildren.Valid && n > 0 {
			for range n {
				if err := walk(path, level, repeated); err != nil {
					return err
				}
			}
			return nil
		}
		column := column{leaf: leaf, kind: e.Type.V, maxLevel: level, name: path[0]}
		leaf++
		if len(path) == 1 || path[1] == "bytes" {
			names = append(names, path[0])
		}
		isImage := slices.Contains(imageColumns, path[0]) && (len(path) == 1 || len(path) == 2 && path[1] == "bytes")
		isLabel := slices.Contains(labelColumns, path[0])
		switch {
		case (isImage || isLabel) && repeated:
			return fault.Dataf("column %q holds lists: an image has one class here", path[0])
		case isImage && column.kind != format.ByteArray:
			return fault.Dataf("column %q is of type %v, and images are BYTE_ARRAY, alone or as bytes beside path", path[0], column.kind)
		case isImage && (f.images.leaf < 0 || slices.Index(imageColumns, path[0]) < slices.Index(imageColumns, f.images.name)):
			f.images = column
		case isLabel && column.kind != format.Int64 && column.kind != format.Int32:
			return fault.Dataf("column %q is of type %v, and labels are INT64, as of a ClassLabel", path[0], column.kind)
		case isLabel && (label.leaf < 0 || slices.Index(labelColumns, path[0]) < slices.Index(labelColumns, label.name)):
			label = column
		}
		return nil
	}
	for at < len(schema) {
		if err := walk(nil, 0, false); err != nil {
			return label, err
		}
	}
	if f.images.leaf < 0 {
		return label, fault.Dataf("no column of images (%s) among %q", strings.Join(imageColumns, ", "), names[:min(len(names), 12)])
	}
	return label, nil
}

// hubClasses gives the names of a ClassLabel in what the library datasets writes; nil without.
func hubClasses(text, column string) ([]string, error) {
	var hub struct {
		Info struct {
			Features map[string]json.RawMessage `json:"features"`
		} `json:"info"`
	}
	if err := json.Unmarshal([]byte(text), &hub); err != nil {
		return nil, fault.Dataf("its key huggingface: %w", err)
	}
	var label struct {
		Names []string `json:"names"`
	}
	// Other kinds of features have other forms: they have no names.
	if err := json.Unmarshal(hub.Info.Features[column], &label); err != nil {
		return nil, nil
	}
	seen := map[string]bool{}
	for i, name := range label.Names {
		if name == "" || seen[name] {
			return nil, fault.Dataf("its key huggingface: name %d of the classes, %q, is empty or repeated", i, name)
		}
		seen[name] = true
	}
	return label.Names, nil
}

// readChunk reads the headers of the pages of a column.
func (f *File) readChunk(group format.RowGroup, c column, mostValues int32) (chunk, error) {
	if c.leaf >= len(group.Columns) {
		return chunk{}, fault.Dataf("it is missing")
	}
	meta := group.Columns[c.leaf].MetaData
	at := meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 && d < at {
		at = d
	}
	if meta.Type != c.kind || at < 4 || meta.TotalCompressedSize < 0 || meta.TotalCompressedSize > f.size-at || group.Columns[c.leaf].FilePath != "" {
		return chunk{}, fault.Dataf("%d bytes at %d of %d, of type %v", meta.TotalCompressedSize, at, f.size, meta.Type)
	}
	out, end, row := chunk{codec: meta.Codec}, at+meta.TotalCompressedSize, int64(0)
	for row < group.NumRows {
		if at >= end {
			return out, fault.Dataf("its pages have %d of %d rows", row, group.NumRows)
		}
		head, n, err := f.pageHeader(at, end)
		if err != nil {
			return out, fmt.Errorf("the page at byte offset %d: %w", at, err)
		}
		p, err := pageOf(head, c, meta.Codec)
		if err != nil || int64(head.CompressedPageSize) > end-at-n || int64(p.values) > group.NumRows-row && head.Type != format.DictionaryPage || p.values > mostValues {
			return out, fault.Dataf("the page at byte offset %d: %d values in %d bytes, decompressed %d: %w", at, p.values, p.size, p.full, errors.Join(err, errPageSize))
		}
		p.at, p.row = at+n, int32(row)
		at = p.at + int64(p.size)
		switch head.Type {
		case format.DictionaryPage:
			out.dictionary = &p
		case format.DataPage, format.DataPageV2:
			out.pages = append(out.pages, p)
			row += int64(p.values)
		}
	}
	return out, nil
}

var errPageSize = errors.New("a page may not have so many")

// pageHeader reads the header at a byte offset, and gives its length.
func (f *File) pageHeader(at, end int64) (h format.PageHeader, n int64, err error) {
	for window := int64(1 << 10); ; window *= 8 {
		buf := make([]byte, min(window, end-at))
		if err := readAt(f.in, buf, at); err != nil {
			return h, 0, err
		}
		used, err := decodeThrift(buf, &h)
		if !errors.Is(err, errThriftEnd) {
			return h, int64(used), err
		}
		if window >= min(maxPageHeader, end-at) {
			return h, 0, fault.Dataf("its header ends early")
		}
	}
}

// pageOf holds what a header says to what can be.
func pageOf(h format.PageHeader, c column, codec format.CompressionCodec) (pageRef, error) {
	p := pageRef{size: h.CompressedPageSize, full: h.UncompressedPageSize, crc: h.CRC}
	switch h.Type {
	case format.DataPage:
		p.values, p.encoding = h.DataPageHeader.V.NumValues, h.DataPageHeader.V.Encoding
		if e := h.DataPageHeader.V.DefinitionLevelEncoding; c.maxLevel > 0 && e != format.RLE {
			return p, fault.Dataf("definition levels encoded as %v are not read", e)
		}
	case format.DataPageV2:
		v2 := h.DataPageHeaderV2.V
		p.v2, p.values, p.encoding, p.levels = true, v2.NumValues, v2.Encoding, v2.DefinitionLevelsByteLength
		p.plain = v2.IsCompressed.Valid && !v2.IsCompressed.V
		if v2.RepetitionLevelsByteLength != 0 {
			return p, fault.Dataf("a column of lists")
		}
	case format.DictionaryPage:
		p.values, p.encoding = h.DictionaryPageHeader.V.NumValues, format.Plain
	}
	ratio := int64(otherRatio)
	switch codec {
	case format.Uncompressed:
		ratio = 1
	case format.Snappy:
		ratio = snappyRatio
	}
	if p.values < 0 || p.size < 0 || p.full < 0 || p.full > maxPage || p.size > maxPage || int64(p.full) > 64+int64(p.size)*ratio ||
		p.levels < 0 || p.levels > p.size || p.levels > p.full {
		return p, errPageSize
	}
	return p, nil
}

// readLabels decodes a column of labels.
func (f *File) readLabels(c column, chunk chunk) error {
	c.codec = chunk.codec
	split := func(data []byte, n int) ([]int64, error) {
		return integers(data, map[bool]int{true: 4, false: 8}[c.kind == format.Int32], n)
	}
	var dictionary []int64
	if chunk.dictionary != nil {
		flat := c
		flat.maxLevel = 0
		var err error
		if dictionary, _, err = pageValues(&flat, f.in, *chunk.dictionary, nil, split); err != nil {
			return err
		}
	}
	for _, p := range chunk.pages {
		labels, there, err := pageValues(&c, f.in, p, dictionary, split)
		if err != nil {
			return err
		}
		for i, yes := range there {
			if !yes {
				labels[i] = NoLabel
			}
		}
		f.Labels = append(f.Labels, labels...)
	}
	return nil
}

// NoLabel is what the hub's test sets have without labels.
const NoLabel = -1
