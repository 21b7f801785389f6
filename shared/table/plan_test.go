package table_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"waggle/shared/table"
)

func ExampleColumnName() {
	fmt.Println(table.ColumnName("SaleID"), table.ColumnName("SalePriceUSD"), table.ColumnName("HTTPServer"))
	// Output: sale_id sale_price_usd http_server
}

func TestAColumnIsItsFieldInSnakeCase(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		"SaleID": "sale_id", "SalePriceUSD": "sale_price_usd", "WidthPX": "width_px", "PriceUSD": "price_usd",
		"HTTPServer": "http_server", "ID": "id", "A": "a", "AvgSalePrice": "avg_sale_price", "MinSaleValueUSD": "min_sale_value_usd",
		"FileSizeKB": "file_size_kb", "PrimaryImageAlt": "primary_image_alt", "Address2": "address2", "Top10Sales": "top10_sales",
		"S3Key": "s3_key", "already_snake": "already_snake", "ÄrgerÜber": "ärger_über", "XCoordinate": "x_coordinate", "": "",
	} {
		if got := table.ColumnName(field); got != want {
			t.Errorf("ColumnName(%q) = %q, want %q", field, got, want)
		}
	}
}

type inner struct{ X int }
type Loop struct{ Next []Loop }
type mixed struct {
	inner
	Kept    string
	Left    string `column:"-"`
	left    chan int
	Renamed int `column:"Other Name"`
	time.Time
}
type clash struct {
	inner
	X     int
	XCopy int `column:"x"`
}
type hidden struct {
	Shown  int
	secret int
}
type bad struct {
	M map[string]int
	C chan int
	P **int
	S *[]int
	A any
	F func()
	*inner
	Sub hidden
	Tag int `column:" x "`
	Arr [3]int
}

func TestAnEmbeddedStructIsFlattenedInPlace(t *testing.T) {
	t.Parallel()
	type row struct {
		inner
		Kept    string
		Left    chan int `column:"-"`
		Renamed int      `column:"Other Name"`
		time.Time
	}
	got, err := table.FromRows([]row{{}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"x", "kept", "Other Name", "time"}; !reflect.DeepEqual(got.Columns(), want) {
		t.Errorf("columns %q, want %q", got.Columns(), want)
	}
}

func TestEveryFieldThatIsNoColumnIsNamed(t *testing.T) {
	t.Parallel()
	_, _ = mixed{}.left, hidden{}.secret
	var all failures
	for _, v := range []any{mixed{}, clash{}, hidden{}, bad{}, Loop{}, struct{}{}, 7, time.Time{}, &inner{}} {
		all.add(t, fmt.Sprintf("%T", v), table.CheckRow(reflect.TypeOf(v)))
	}
	all.add(t, "nil", table.CheckRow(nil))
	golden(t, "row_errors.golden", all.String())
}
