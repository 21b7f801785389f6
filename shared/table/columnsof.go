package table

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
)

// ColumnsOf returns the columns of what Encode wrote, without reading the rows. Bytes that are no table are fault.Corrupt.
func ColumnsOf(data []byte) (*arrow.Schema, error) {
	r, err := openParquet(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	columns, err := r.Schema()
	if err != nil {
		return nil, corrupt(err)
	}
	return columns, nil
}
