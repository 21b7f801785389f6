package table

import (
	"strings"
	"unicode"
)

// ColumnName is the column of a Go field: its name in snake case, where a run of capitals is
// one word. SaleID is sale_id, SalePriceUSD sale_price_usd, HTTPServer http_server. A tag
// `column:"name"` on the field says otherwise.
func ColumnName(field string) string {
	runes := []rune(field)
	var name strings.Builder
	name.Grow(len(field) + 4)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && runes[i-1] != '_' {
			afterWord := !unicode.IsUpper(runes[i-1])                     // saleID: a word ended
			beforeWord := i+1 < len(runes) && unicode.IsLower(runes[i+1]) // HTTPServer: a word begins
			if afterWord || beforeWord {
				name.WriteByte('_')
			}
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}
