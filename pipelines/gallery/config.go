package gallery

import (
	"embed"

	"waggle/shared/asset"
	"waggle/shared/table"
)

// Config is what a run can set: waggle run gallery --config input_dir=DIR.
type Config struct {
	InputDir        string `help:"folder or blob URL of the inputs; empty: the shipped data"`
	OutputDir       string `help:"folder or blob URL of the outputs; created if missing"`
	MinSaleValueUSD int64  `help:"cheaper sales are left out of sales_output"`
}

var config = asset.NewConfig(Config{OutputDir: "output", MinSaleValueUSD: 30_000_000})

//go:embed data/*.csv data/media.db
var shipped embed.FS

func (c Config) inputs() table.Folder {
	if c.InputDir == "" {
		return table.Embedded(shipped, "data")
	}
	return table.At(c.InputDir)
}

func (c Config) outputs() table.Folder { return table.At(c.OutputDir) }
