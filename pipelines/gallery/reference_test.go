package gallery

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// reference computes what the pipeline must make of a folder of inputs in another way: its own
// reading of the files, SQL for the joins, figures and orders, its own JSON.
type reference struct {
	t  *testing.T
	db *sql.DB
}

// referenceRow is a row of a result, column by column.
type referenceRow []cell

type cell struct {
	column string
	value  any // nil, int64, float64, bool, string or []referenceRow
}

// loadReference reads the inputs in dir.
func loadReference(t *testing.T, dir string) *reference {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	t.Cleanup(func() { db.Close() })
	r := &reference{t, db}

	// n is the place in the file, line where the record starts.
	r.exec(`CREATE TABLE sales (n INTEGER PRIMARY KEY, line INT, sale_id INT, artwork_id INT, sale_date TEXT, sale_price_usd INT, buyer_country TEXT)`)
	r.exec(`CREATE TABLE artworks (n INTEGER PRIMARY KEY, line INT, artwork_id INT, title TEXT, artist_id INT, year INT, medium TEXT, price_usd INT)`)
	r.exec(`CREATE TABLE artists (n INTEGER PRIMARY KEY, line INT, artist_id INT, name TEXT, nationality TEXT, birth_year INT, artist_name TEXT)`)
	r.load(dir, "sales", "sale_id artwork_id sale_date sale_price_usd buyer_country")
	r.load(dir, "artworks", "artwork_id title artist_id year medium price_usd")
	r.load(dir, "artists", "artist_id name nationality birth_year")
	r.exec(`ATTACH DATABASE ? AS source`, "file:"+(&url.URL{Path: filepath.Join(dir, "media.db")}).EscapedPath()+"?mode=ro")
	r.exec(`CREATE TABLE media AS SELECT * FROM source.media`)

	// SQL's trim and upper know only ASCII.
	for _, row := range r.query(`SELECT n, name FROM artists WHERE name IS NOT NULL`) {
		r.exec(`UPDATE artists SET artist_name = ? WHERE n = ?`, strings.ToUpper(strings.TrimSpace(row[1].value.(string))), row[0].value)
	}
	for _, index := range []string{"artworks(artwork_id)", "artists(artist_id)", "sales(artwork_id)", "media(artwork_id)"} {
		r.exec("CREATE INDEX by_" + strings.NewReplacer("(", "_", ")", "").Replace(index) + " ON " + index)
	}
	r.exec(salesTransformSQL)
	r.exec(artworksTransformSQL)
	r.exec("CREATE TABLE refused (asset TEXT, row INTEGER)")
	for _, f := range r.schemaFailures() {
		r.exec("INSERT INTO refused VALUES (?, ?)", f.Asset, f.Row)
	}
	return r
}

// halfAway is SQL for x rounded to a whole number, halves away from zero. The distance to the next
// whole number towards zero is exact in floating point, which x + 0.5 is not.
func halfAway(x string) string {
	return strings.ReplaceAll(`(CAST(x AS INTEGER) + CASE WHEN abs(x - CAST(x AS INTEGER)) < 0.5 THEN 0 WHEN x < 0 THEN -1 ELSE 1 END)`, "x", x)
}

// A row of sales_transform knows its place among all rows as row, from 0.
var salesTransformSQL = `
CREATE TABLE sales_transform AS
WITH joined AS (
	SELECT sale_id, s.artwork_id, sale_date, sale_price_usd, buyer_country, title, a.artist_id, year AS artwork_year, medium,
		price_usd AS list_price_usd, artist_name, nationality, sale_price_usd - price_usd AS price_diff,
		CASE WHEN price_usd <> 0 THEN CAST(sale_price_usd - price_usd AS REAL) * 100 / CAST(price_usd AS REAL) * 10 END AS tenths,
		row_number() OVER (ORDER BY sale_date DESC NULLS LAST, sale_id, s.n, a.n, p.n) - 1 AS row
	FROM sales s
	LEFT JOIN artworks a ON a.artwork_id = s.artwork_id
	LEFT JOIN artists p ON p.artist_id = a.artist_id
)
SELECT *, CASE WHEN tenths IS NOT NULL THEN ` + halfAway("tenths") + ` / 10.0 END AS pct_change FROM joined`

var artworksTransformSQL = `
CREATE TABLE artworks_transform AS
WITH figures AS (
	SELECT artwork_id, count(*) AS sale_count, coalesce(sum(sale_price_usd), 0) AS total,
		CAST(sum(sale_price_usd) AS REAL) / count(sale_price_usd) AS average, min(sale_date) AS first, max(sale_date) AS last
	FROM sales WHERE artwork_id IS NOT NULL GROUP BY artwork_id
), joined AS (
	SELECT a.artwork_id, title, year, medium, price_usd AS list_price_usd, artist_name, nationality,
		coalesce(sale_count, 0) AS sale_count, coalesce(total, 0) AS total_sales_value, average, first, last, a.n AS a, p.n AS p
	FROM artworks a
	LEFT JOIN artists p ON p.artist_id = a.artist_id
	LEFT JOIN figures f ON f.artwork_id = a.artwork_id
), firsts AS (
	SELECT artwork_id, filename, alt_text, row_number() OVER (PARTITION BY artwork_id ORDER BY media_id) AS place
	FROM media WHERE sort_order = 1
)
SELECT j.artwork_id, title, year, medium, list_price_usd, artist_name, nationality, sale_count, total_sales_value,
	CASE WHEN average IS NOT NULL THEN CAST(` + halfAway("average") + ` AS REAL) END AS avg_sale_price,
	first AS first_sale_date, last AS last_sale_date, sale_count > 0 AS has_sold,
	CASE WHEN list_price_usd < 500000 THEN 'budget' WHEN list_price_usd < 3000000 THEN 'mid' ELSE 'premium' END AS price_tier,
	rank() OVER (ORDER BY total_sales_value DESC) AS sales_rank,
	f.filename AS primary_image, f.alt_text AS primary_image_alt,
	(SELECT count(*) FROM media m WHERE m.artwork_id = j.artwork_id) AS media_count,
	row_number() OVER (ORDER BY total_sales_value DESC, j.artwork_id, a, p) - 1 AS row
FROM joined j LEFT JOIN firsts f ON f.artwork_id = j.artwork_id AND f.place = 1`

// salesTransform returns the rows of sales_transform.
func (r *reference) salesTransform() []referenceRow {
	return r.query(`SELECT sale_id, artwork_id, sale_date, sale_price_usd, buyer_country, title, artist_id, artwork_year, medium,
		list_price_usd, artist_name, nationality, price_diff, pct_change FROM sales_transform
		WHERE row NOT IN (SELECT row FROM refused WHERE asset = 'sales_transform') ORDER BY row`)
}

// artworksTransform returns the rows of artworks_transform.
func (r *reference) artworksTransform() []referenceRow {
	media := map[int64][]referenceRow{}
	for _, m := range r.query(`SELECT artwork_id, sort_order, filename, media_type, file_format, width_px, height_px, file_size_kb, alt_text
		FROM media WHERE artwork_id IS NOT NULL ORDER BY sort_order NULLS LAST, media_id`) {
		id := m[0].value.(int64)
		media[id] = append(media[id], m[1:])
	}
	rows := r.query(`SELECT artwork_id, title, year, medium, list_price_usd, artist_name, nationality, sale_count, total_sales_value,
		avg_sale_price, first_sale_date, last_sale_date, has_sold, price_tier, sales_rank, primary_image, primary_image_alt, media_count
		FROM artworks_transform WHERE row NOT IN (SELECT row FROM refused WHERE asset = 'artworks_transform') ORDER BY row`)
	for i, row := range rows {
		row[12].value = row[12].value == int64(1) // SQLite's booleans are numbers
		var list any
		if of := media[row[0].value.(int64)]; of != nil {
			list = of
		}
		rows[i] = append(row, cell{"media", list})
	}
	return rows
}

// salesOutput returns sales_output.json.
func (r *reference) salesOutput(threshold int64) string {
	return document(slices.DeleteFunc(r.salesTransform(), func(row referenceRow) bool {
		price, ok := row[3].value.(int64)
		return !ok || price < threshold
	}))
}

// artworksOutput returns artworks_output.json.
func (r *reference) artworksOutput() string { return document(r.artworksTransform()) }

func document(rows []referenceRow) string {
	if len(rows) == 0 {
		return "[]\n"
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = row.JSON()
	}
	return "[\n" + strings.Join(lines, ",\n") + "\n]\n"
}

// JSON returns the row as a compact object.
func (r referenceRow) JSON() string {
	var b strings.Builder
	for i, c := range r {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		fmt.Fprintf(&b, `"%s":%s`, c.column, cellJSON(c.value))
	}
	return b.String() + "}"
}

// escaped writes texts in JSON; those of the samples have no other control characters.
var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`)

func cellJSON(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return `"` + escaped.Replace(v) + `"`
	case []referenceRow:
		objects := make([]string, len(v))
		for i, row := range v {
			objects[i] = row.JSON()
		}
		return "[" + strings.Join(objects, ",") + "]"
	default:
		panic(fmt.Sprintf("no JSON for %T", value))
	}
}

// load reads a CSV file into the table of its name. An empty field is null.
func (r *reference) load(dir, table, columns string) {
	r.t.Helper()
	file, err := os.Open(filepath.Join(dir, table+".csv"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer file.Close()
	records := csv.NewReader(file)
	header, err := records.Read()
	if err != nil {
		r.t.Fatal(err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	names := strings.Fields(columns)
	insert := fmt.Sprintf("INSERT INTO %s (line, %s) VALUES (?%s)", table, strings.Join(names, ", "), strings.Repeat(", ?", len(names)))
	tx, err := r.db.Begin()
	if err != nil {
		r.t.Fatal(err)
	}
	statement, err := tx.Prepare(insert)
	if err != nil {
		r.t.Fatal(err)
	}
	for {
		record, err := records.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			r.t.Fatal(err)
		}
		line, _ := records.FieldPos(0)
		values := []any{line}
		for _, name := range names {
			field := record[slices.Index(header, name)]
			if field == "" {
				values = append(values, nil)
			} else {
				values = append(values, field) // the column's type makes it a number
			}
		}
		if _, err := statement.Exec(values...); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reference) exec(statement string, args ...any) {
	r.t.Helper()
	if _, err := r.db.Exec(statement, args...); err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
}

func (r *reference) query(statement string, args ...any) []referenceRow {
	r.t.Helper()
	found, err := r.db.Query(statement, args...)
	if err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		r.t.Fatal(err)
	}
	var rows []referenceRow
	for found.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			r.t.Fatal(err)
		}
		row := make(referenceRow, len(columns))
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				v = string(text)
			}
			row[i] = cell{columns[i], v}
		}
		rows = append(rows, row)
	}
	if err := found.Err(); err != nil {
		r.t.Fatal(err)
	}
	return rows
}
