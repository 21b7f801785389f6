package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"waggle/functions/build/deflate"
)

// bootstrap is the name that Lambda starts.
const bootstrap = "bootstrap"

// What Lambda takes, in bytes: of a zip that is sent to it directly, and of what is in it.
const (
	maxZip     = 50 << 20
	maxProgram = 250 << 20
)

// pack is the zip of a program. Equal programs give equal bytes: the time in it is the earliest that a zip can say.
func pack(program []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return &packer{out: out}, nil })
	header := &zip.FileHeader{Name: bootstrap, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755)
	file, err := w.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(program); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// packer packs what is written to it when it is closed: it takes all of a program to make a small zip.
type packer struct {
	bytes.Buffer
	out io.Writer
}

func (p *packer) Close() error {
	_, err := p.out.Write(deflate.Pack(p.Bytes()))
	return err
}

func sum(data []byte) string {
	hash := sha256.Sum256(data)
	return hex.EncodeToString(hash[:])
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
