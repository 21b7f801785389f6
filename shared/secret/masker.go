package secret

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// The lengths in bytes from which a secret, or a part of a secret URL, is masked: shorter ones occur in any text.
const (
	leastMasked = 4
	leastPart   = 8
)

// Masker takes secrets out of texts: errors, answers of services, logs. The zero value is not usable; see NewMasker.
// Safe for several goroutines.
type Masker struct {
	mu    sync.RWMutex
	forms []string // what is masked, the longest first
}

// NewMasker returns a masker of some secrets.
func NewMasker(values ...Value) *Masker {
	m := &Masker{}
	for _, v := range values {
		m.Add(v)
	}
	return m
}

// Add has a secret masked from now on, as it is and as it stands in URLs, JSON and base64. Of a URL its path, query and user are
// secret too, where they stand alone. A secret of less than 4 bytes is not masked, nor a part of less than 8.
func (m *Masker) Add(v Value) {
	plain := v.Reveal()
	forms := []string{plain, url.QueryEscape(plain), url.PathEscape(plain), base64.StdEncoding.EncodeToString([]byte(plain))}
	if quoted, err := json.Marshal(plain); err == nil {
		forms = append(forms, string(quoted[1:len(quoted)-1]))
	}
	if u, err := url.Parse(plain); err == nil && u.Scheme != "" && u.Host != "" {
		parts := []string{strings.TrimPrefix(u.EscapedPath(), "/"), strings.TrimPrefix(u.Path, "/"), u.RawQuery, u.Fragment}
		parts = append(parts, parts[0][strings.LastIndexByte(parts[0], '/')+1:])
		if u.User != nil {
			password, _ := u.User.Password()
			parts = append(parts, u.User.String(), password)
		}
		parts = slices.DeleteFunc(parts, func(part string) bool { return len(part) < leastPart })
		forms = append(append(forms, parts...), u.RequestURI())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, form := range forms {
		if len(form) >= leastMasked && !slices.Contains(m.forms, form) {
			m.forms = append(m.forms, form)
		}
	}
	slices.SortFunc(m.forms, func(a, b string) int { return len(b) - len(a) })
}

// Mask returns the text with [masked] where a secret stood.
func (m *Masker) Mask(text string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, form := range m.forms {
		text = strings.ReplaceAll(text, form, masked)
	}
	return text
}
