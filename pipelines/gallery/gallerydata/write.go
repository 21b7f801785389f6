package gallerydata

import (
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // writes media.db
)

// The names of the files.
const (
	SalesFile    = "sales.csv"
	ArtworksFile = "artworks.csv"
	ArtistsFile  = "artists.csv"
	MediaFile    = "media.db"
)

// write stores the four sources in dir and returns where each row went.
func (g *gallery) write(dir string) (lines, error) {
	var at lines
	var err error
	at.sale, err = writeCSV(filepath.Join(dir, SalesFile), g.sales,
		[]string{"sale_id", "artwork_id", "sale_date", "sale_price_usd", "buyer_country"},
		func(s *sale) []string {
			return []string{number(&s.id), number(s.artworkID), text(s.date), number(s.priceUSD), text(s.country)}
		})
	if err != nil {
		return at, err
	}
	at.artwork, err = writeCSV(filepath.Join(dir, ArtworksFile), g.artworks,
		[]string{"artwork_id", "title", "artist_id", "year", "medium", "price_usd"},
		func(a *artwork) []string {
			return []string{number(&a.id), text(a.title), number(a.artistID), number(a.year), text(a.medium), number(a.priceUSD)}
		})
	if err != nil {
		return at, err
	}
	at.artist, err = writeCSV(filepath.Join(dir, ArtistsFile), g.artists,
		[]string{"artist_id", "name", "nationality", "birth_year"},
		func(a *artist) []string {
			return []string{number(&a.id), text(a.name), text(a.nationality), number(a.birthYear)}
		})
	if err != nil {
		return at, err
	}
	return at, writeMedia(filepath.Join(dir, MediaFile), g.media)
}

// writeCSV writes one record a row and returns the line on which each starts.
func writeCSV[R comparable](path string, rows []R, header []string, record func(R) []string) (map[R]int, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	w := csv.NewWriter(file)
	if err := w.Write(header); err != nil {
		return nil, err
	}
	at, line := make(map[R]int, len(rows)), 2
	for _, r := range rows {
		fields := record(r)
		if err := w.Write(fields); err != nil {
			return nil, err
		}
		at[r] = line
		line++
		for _, f := range fields {
			line += strings.Count(f, "\n")
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return nil, err
	}
	return at, file.Close()
}

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// writeMedia makes the database anew. One transaction into an empty file with a fixed page size
// gives the same bytes every time.
func writeMedia(path string, media []*medium) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	escaped := (&url.URL{Path: path}).EscapedPath()
	db, err := sql.Open("sqlite", "file:"+escaped+"?_pragma=page_size(4096)&_pragma=journal_mode(off)&_pragma=synchronous(off)")
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect once committed
	_, err = tx.Exec(`CREATE TABLE media (
	media_id INTEGER PRIMARY KEY,
	artwork_id INTEGER,
	sort_order INTEGER,
	filename TEXT,
	media_type TEXT,
	file_format TEXT,
	width_px INTEGER,
	height_px INTEGER,
	file_size_kb INTEGER,
	alt_text TEXT,
	created_date TEXT
)`)
	if err != nil {
		return err
	}
	insert, err := tx.Prepare("INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, m := range media {
		_, err := insert.Exec(m.id, m.artworkID, m.sortOrder, m.filename, m.kind, m.format, m.width, m.height, m.kb, m.alt, m.created)
		if err != nil {
			return fmt.Errorf("media %d: %w", m.id, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return db.Close()
}
