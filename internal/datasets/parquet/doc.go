// Package parquet reads labelled images out of Parquet files as the Hugging Face hub has them: a
// column of encoded images, one of labels, and the names of the classes in the file's metadata.
//
// The structures of the metadata are those of github.com/parquet-go/parquet-go. Its readers of
// pages are not used: without a page index, which most files of the hub lack, they come to a row by
// decoding all pages before it, and they allocate what a header claims. Here, Open reads the
// headers of all pages, some hundred bytes each, and Image decodes the one page that holds a row.
//
// Whatever is wrong with a file is fault.ErrData and names row group, column and byte offset; the
// caller adds the file's name. No size that a file claims is allocated before it is compared with
// what the file can hold.
package parquet
