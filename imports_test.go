// Package waggle_test holds the layout of the repository against its rules.
package waggle_test

import (
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed is the import table: for each package of ours, those of ours that it may import. Tests may import more.
var allowed = map[string][]string{
	"shared/fault":     {},
	"shared/duration":  {},
	"shared/pages":     {},
	"shared/metric":    {},
	"shared/metadata":  {},
	"shared/table":     {"fault", "metadata", "pages"},
	"shared/run":       {"fault", "metadata"},
	"shared/asset":     {"duration", "fault", "metadata", "notify", "run", "table"},
	"shared/check":     {"asset", "metadata", "run"},
	"shared/job":       {"asset", "run"},
	"shared/plan":      {"asset", "check", "fault", "job", "run"},
	"shared/selection": {"asset", "check", "fault", "run"},
	"shared/waggle":    {"asset", "check", "fault", "job", "notify", "plan", "run", "sensor"},
	"shared/schema":    {"asset", "check", "fault", "metadata", "pages", "run", "table"},
	"shared/runlog":    {"fault", "metadata", "run"},
	"shared/secret":    {"fault"},

	"shared/awserror":         {},
	"shared/plainbody":        {},
	"shared/loopback":         {},
	"shared/secret/awssecret": {"awserror", "fault", "plainbody", "secret"},

	"shared/notify": {"fault", "secret"},

	"shared/notify/httppost":     {"notify", "secret"},
	"shared/notify/slackmessage": {"notify"},
	"shared/notify/slackwebhook": {"notify", "notify/httppost", "notify/slackmessage", "secret"},
	"shared/notify/slackbot":     {"notify", "notify/httppost", "notify/slackmessage", "secret"},
	"shared/notify/webhook":      {"notify", "notify/httppost", "secret"},
	"shared/notify/mailmessage":  {"notify"},
	"shared/notify/smtpmail":     {"notify", "notify/mailmessage", "secret"},
	"shared/notify/sesmail":      {"awserror", "notify", "notify/mailmessage", "plainbody", "secret"},
	"shared/notify/outbox":       {"notify", "notify/mailmessage", "notify/slackmessage"},
	"shared/notify/notifytest":   {"loopback"},
	"shared/notify/senders": {"fault", "notify", "notify/httppost", "notify/outbox", "notify/slackbot", "notify/slackwebhook", "notify/smtpmail", "notify/webhook",
		"secret"},
	"shared/event": {"run", "runlog"},

	"shared/cloud/cloudtest":       {"cloud", "courier", "event", "fault", "notify", "run", "scheduler", "sensor", "store", "store/driver", "waggle"},
	"shared/cloud/lambdafunctions": {"awserror", "cloud", "fault"},
	"shared/eventbus/eventbridge":  {"awserror", "event", "fault"},

	"shared/sensor": {"asset", "check", "event", "fault", "job", "notice", "notify", "run"},

	"shared/store/driver":       {"fault"},
	"shared/store/sqlitedriver": {"fault", "store/driver"},
	"shared/store/memorydriver": {"fault", "store/driver"},
	"shared/store/drivertest":   {"fault", "store/driver"},
	"shared/store/tabletest":    {"store/driver", "store/memorydriver"},
	"shared/owner":              {"fault", "store/driver"},
	"shared/store":              {"event", "fault", "metadata", "owner", "run", "runlog", "store/driver"},
	"shared/engine":             {"asset", "check", "duration", "event", "fault", "metadata", "notify", "plan", "run", "runlog", "store"},
	"shared/courier":            {"asset", "duration", "engine", "event", "fault", "job", "notice", "notify", "owner", "report", "run", "runlog", "sensor", "store", "waggle"},
	"shared/manifest":           {"event", "fault", "job", "notify", "run", "secret", "sensor", "waggle"},
	"shared/scheduler":          {"event", "fault", "job", "run", "store", "waggle"},
	"shared/embedded":           {"fault", "store", "store/sqlitedriver"},
	"shared/store/dynamodriver": {"awserror", "fault", "plainbody", "store/driver"},
	"shared/monitor":            {"engine", "fault", "owner", "run", "runlog", "scheduler", "store"},
	"shared/cloud":              {"courier", "engine", "event", "fault", "run", "runlog", "scheduler", "sensor", "store", "waggle"},
	"shared/report":             {"duration", "metadata", "plan", "run", "runlog"},
	"shared/notice":             {"duration", "metadata", "notify", "report", "run", "runlog"},
	"shared/notice/noticetest":  {"metadata", "notice", "notify", "run"},
	"shared/cli/progress":       {"duration", "plan", "report", "run", "runlog"},
	"shared/cli": {"asset", "check", "cli/progress", "courier", "duration", "engine", "event", "fault", "job", "metadata", "monitor", "notify", "owner", "plan", "report",
		"run", "runlog", "scheduler", "schema", "selection", "sensor", "store", "waggle"},
	"shared/sqlasset":   {"asset", "fault", "table"},
	"shared/waggletest": {"asset", "courier", "engine", "fault", "metadata", "notify", "run", "runlog", "store", "store/tabletest", "waggle"},
}

// authoring is what pipelines may import.
var authoring = []string{"asset", "check", "job", "metadata", "notify", "run", "schema", "sensor", "sqlasset", "table", "waggle"}

// wiring is where an adapter may be imported.
var wiring = []string{"shared/embedded", "shared/notify/senders", "shared/store/tabletest", "cmd/", "functions/", "bench/"}

// senders are the adapters by which messages leave.
var senders = []string{"notify/slackwebhook", "notify/slackbot", "notify/smtpmail", "notify/sesmail", "notify/webhook", "notify/outbox", "notify/senders"}

// forTests are packages that may import testing.
var forTests = []string{"shared/notify/notifytest", "shared/waggletest", "shared/store/drivertest", "shared/store/tabletest"}

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	t.Parallel()
	imports := importsOfOurs(t, "duckdb")
	for dir, list := range imports {
		for _, path := range list {
			ours, isOurs := strings.CutPrefix(path, "waggle/shared/")
			switch {
			case path == "testing" && !slices.Contains(forTests, dir):
				t.Errorf("%s is not for tests and imports testing", dir)
			case strings.HasPrefix(path, "waggle/") && !isOurs && strings.HasPrefix(dir, "shared/"):
				t.Errorf("%s is of the library and imports %s", dir, path)
			case !isOurs:
				continue
			case strings.HasPrefix(dir, "pipelines/") && !slices.Contains(authoring, ours):
				t.Errorf("%s is a pipeline and imports %s; it may import %s", dir, ours, strings.Join(authoring, ", "))
			case strings.HasPrefix(dir, "shared/") && !slices.Contains(allowed[dir], ours):
				t.Errorf("%s imports %s, which the table does not allow", dir, ours)
			case isAdapter(ours) && !slices.ContainsFunc(wiring, func(w string) bool { return strings.HasPrefix(dir, w) }):
				t.Errorf("%s imports the adapter %s; only wiring may", dir, ours)
			}
		}
	}
	for dir, list := range allowed {
		if _, ok := imports[dir]; !ok {
			t.Errorf("the table has %s, which does not exist", dir)
		}
		for _, ours := range list {
			if !slices.Contains(imports[dir], "waggle/shared/"+ours) {
				t.Errorf("the table allows %s to import %s, which it does not; take it out", dir, ours)
			}
		}
	}
	for dir := range imports {
		if _, ok := allowed[dir]; !ok && strings.HasPrefix(dir, "shared/") {
			t.Errorf("the table lacks %s", dir)
		}
	}
}

// isAdapter reports whether a package of the library is tied to a service or a database.
func isAdapter(ours string) bool {
	adapters := slices.Concat(senders, []string{"cloud/lambdafunctions", "secret/awssecret"})
	return strings.HasSuffix(ours, "driver") && ours != "store/driver" || strings.HasPrefix(ours, "eventbus/") || slices.Contains(adapters, ours)
}

func isCloud(path string) bool {
	return strings.HasPrefix(path, "github.com/aws/") || strings.HasPrefix(path, "gocloud.dev/blob/s3blob")
}

func TestTheEngineKnowsNoDatabaseAndNoCloud(t *testing.T) {
	t.Parallel()
	for dir, list := range importsOfOurs(t) {
		core := strings.HasPrefix(dir, "shared/engine") || strings.HasPrefix(dir, "shared/runlog") || dir == "shared/store" || strings.HasPrefix(dir, "shared/owner")
		for _, path := range list {
			if core && (isCloud(path) || path == "database/sql" || strings.HasPrefix(path, "modernc.org/")) {
				t.Errorf("%s imports %s", dir, path)
			}
		}
	}
}

// TestTemplatesCallNoMethodsByTheirNames keeps the linker's hands free: a program that executes a template of the standard library has every
// method of every type it uses, and a function's zip is a quarter larger.
func TestTemplatesCallNoMethodsByTheirNames(t *testing.T) {
	t.Parallel()
	known := false
	for dir, list := range importsOfOurs(t, "duckdb", "aws") {
		for _, path := range list {
			known = known || strings.HasPrefix(path, templates)
			if path == "text/template" || path == "html/template" {
				t.Errorf("%s imports %s; import %s/text or /html, which call no methods", dir, path, templates)
			}
		}
	}
	if !known {
		t.Errorf("nothing imports %s; is it still there?", templates)
	}
}

const templates = "github.com/DataDog/datadog-agent/pkg/template"

func isDuckDB(path string) bool { return strings.HasPrefix(path, "github.com/duckdb/") }

func TestTheLaptopsBinaryLinksNoCloudAndNoDuckDB(t *testing.T) {
	t.Parallel()
	imports := importsOfOurs(t)
	for dir, list := range imports {
		for _, path := range list {
			if isDuckDB(path) || path == "C" || path == "waggle/shared/sqlasset" {
				t.Errorf("%s imports %s without the tag duckdb", dir, path)
			}
		}
	}
	linked(t, imports, "cmd/waggle", func(dir, path string) {
		if isCloud(path) {
			t.Errorf("cmd/waggle links %s, by %s", path, dir)
		}
	})
}

// TestOnlyFunctionsThatRunStepsLinkSQLite: it is a seventh of a zip, and read by assets alone.
func TestOnlyFunctionsThatRunStepsLinkSQLite(t *testing.T) {
	t.Parallel()
	imports := importsOfOurs(t)
	for name, wanted := range map[string]bool{"run": true, "step": true, "sensor": false, "monitor": false} {
		links := false
		linked(t, imports, "functions/"+name, func(dir, path string) {
			if strings.HasPrefix(path, "modernc.org/") {
				if links = true; !wanted {
					t.Errorf("the function %s links %s, by %s", name, path, dir)
				}
			}
		})
		if wanted && !links {
			t.Errorf("the function %s links no SQLite: assets that read SQLite files would fail", name)
		}
	}
}

// linked calls a function with each import of a program, and the folder of ours that has it.
func linked(t *testing.T, imports map[string][]string, program string, use func(dir, path string)) {
	t.Helper()
	seen := map[string]bool{}
	var visit func(dir string)
	visit = func(dir string) {
		if seen[dir] {
			return
		}
		seen[dir] = true
		for _, path := range imports[dir] {
			use(dir, path)
			if ours, ok := strings.CutPrefix(path, "waggle/"); ok {
				visit(ours)
			}
		}
	}
	visit(program)
	if len(seen) < 10 {
		t.Errorf("%s reaches only %d packages; is it still there?", program, len(seen))
	}
}

func TestOnlySQLAssetsKnowDuckDB(t *testing.T) {
	t.Parallel()
	known := false
	for dir, list := range importsOfOurs(t, "duckdb") {
		for _, path := range list {
			known = known || isDuckDB(path)
			if isDuckDB(path) && dir != "shared/sqlasset" {
				t.Errorf("%s imports %s", dir, path)
			}
		}
	}
	if !known {
		t.Error("nothing imports DuckDB with the tag duckdb; is it still there?")
	}
}

// importsOfOurs returns for each folder what its files, tests aside, import in a build with Go alone, or with a C compiler where
// there are tags.
func importsOfOurs(t *testing.T, tags ...string) map[string][]string {
	t.Helper()
	platform := build.Default
	platform.BuildTags, platform.CgoEnabled = tags, len(tags) > 0
	imports := map[string][]string{}
	for _, root := range []string{"shared", "pipelines", "cmd", "bench", "functions"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			if ours, err := platform.MatchFile(filepath.Split(path)); err != nil || !ours {
				return err // of another platform, or behind a tag that the laptop's build does not set
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			dir := filepath.ToSlash(filepath.Dir(path))
			imports[dir] = append(imports[dir], "") // a package without imports is one too
			for _, spec := range file.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				imports[dir] = append(imports[dir], name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for dir, list := range imports {
		slices.Sort(list)
		imports[dir] = slices.Compact(list)
	}
	return imports
}
