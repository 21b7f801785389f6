package gallery

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tangle writes a small gallery in which almost everything collides: ids occur several times on
// both sides of a join or are missing, prices are small so that roundings meet halves, dates and places in order are
// few. The files are written as other programs write them: byte order mark, CRLF, other
// columns, blank lines, columns in another order, quoted empty fields.
func tangle(t *testing.T, dir string, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}

	var sales, artworks, artists strings.Builder
	sales.WriteString("\ufeffbuyer_country,sale_date,auctioneer,sale_price_usd,artwork_id,sale_id\r\n")
	for range 60 {
		fmt.Fprintf(&sales, "%s,%s,%s,%s,%s,%d\r\n", one("", `""`, "Peru", `"a,b"`), one("", "2020-01-01", "2020-1-1", "soon", "Été", "2099-12-31"),
			one("x", ""), one("", "0", "1", "2", "3", " 5 ", "-1", "-7", "80000", "30000000", "29999999", "9007199254740993"),
			one("", "1", "2", "3", "4", "5", "6", "77"), 1+random.IntN(40))
	}
	artworks.WriteString("artwork_id,title,artist_id,year,medium,price_usd,note\n\n")
	for range 12 {
		fmt.Fprintf(&artworks, "%d,%s,%s,%s,%s,%s,-\n", 1+random.IntN(8), one("", `"A ""B"" & <C>"`, "\"two\nlines\"", " spaced "),
			one("", "1", "2", "3", "9"), one("", "1972", "-400"), one("Bronze", ""),
			one("", "0", "1", "3", "7", "8", "-5", "80", "499999", "500000", "2999999", "3000000"))
	}
	artists.WriteString("birth_year,artist_id,name,nationality\n")
	for range 5 {
		fmt.Fprintf(&artists, "%s,%d,%s,%s\n", one("", "1900"), 1+random.IntN(4),
			one("", `""`, "  ", "\u00a0ÿ straße\t", " Ana\u3000", "ǆ ĳ"), one("", "Dutch"))
	}
	write("sales.csv", sales.String())
	write("artworks.csv", artworks.String())
	write("artists.csv", artists.String())

	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.Join(dir, "media.db")}).EscapedPath()+"?_pragma=journal_mode(off)&_pragma=synchronous(off)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	statements := `CREATE TABLE media (alt_text TEXT, created_date TEXT, media_id INT, artwork_id INT, sort_order INT, filename TEXT,
		media_type TEXT, file_format TEXT, width_px INT, height_px INT, file_size_kb INT, photographer TEXT)`
	for _, id := range random.Perm(40) {
		statements += fmt.Sprintf("; INSERT INTO media VALUES (%s, %s, %d, %s, %s, %s, 'image', %s, %d, NULL, %s, 'someone')",
			one("NULL", "''", "'a tab\tand a \"quote\"'"), one("NULL", "'2020-01-01'"), id+1, one("NULL", "1", "2", "3", "4", "5", "77"),
			one("NULL", "-1", "0", "1", "1", "2"), one("NULL", "'a.jpg'", "'b.jpg'", "'\\c.jpg'"), one("NULL", "'jpg'"), random.IntN(3), one("NULL", "1"))
	}
	if _, err := db.Exec("BEGIN; " + statements + "; COMMIT"); err != nil {
		t.Fatal(err)
	}
}
