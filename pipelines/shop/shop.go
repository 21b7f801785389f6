package shop

import (
	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/waggle"
)

type Sale struct{ ID int64 }

var sales = asset.New("sales", func(*asset.Context) ([]Sale, error) { return nil, nil }, nil)

var checkSalesNotEmpty = check.New1("check_sales_not_empty", notEmpty, sales, nil)

func notEmpty(_ *asset.Context, sales []Sale) (check.Result, error) {
	return check.Result{Passed: len(sales) > 0}, nil
}

// Definitions has no Checks: the check above would never run.
var Definitions = waggle.Definitions{Assets: asset.List{sales}}
