//go:build aws

package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// filesComeAndGo has the gallery read and write where a URL says: below file:// on a laptop, below s3:// in the cloud.
func filesComeAndGo(p *place) {
	files, err := filepath.Glob("../../pipelines/gallery/data/*.*")
	if err != nil || len(files) == 0 {
		p.t.Fatalf("no files of the gallery: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			p.t.Fatal(err)
		}
		if strings.HasSuffix(file, "sales.csv") {
			data = data[:1+strings.LastIndexByte(string(data[:len(data)/2]), '\n')] // other results than those of the shipped file
		}
		p.write("in/"+filepath.Base(file), data)
	}
	p.must(0, "run", "gallery", "--config", "input_dir="+p.url("in"), "--config", "output_dir="+p.url("out"))
	out, _ := p.must(0, "assets", "show", "sales_output", "--json")
	path := p.url("out/sales_output.json")
	if got := findPath(out, "sales_output.json"); got != path {
		p.t.Fatalf("it wrote %q, want %q\n%s", got, path, out)
	}
	var rows []any
	if err := json.Unmarshal(p.read(path), &rows); err != nil || len(rows) == 0 || len(rows) >= 38 {
		p.t.Errorf("%s has %d rows, %v: those of half the sales are fewer than 38", path, len(rows), err)
	}
	if out, _ := p.must(0, "runs", "logs", "LAST"); !strings.Contains(out, p.url("in/media.db")) {
		p.t.Errorf("nothing was harvested from %s:\n%s", p.url("in"), out)
	}
}
