package courier

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/klauspost/compress/zstd"

	"waggle/shared/fault"
	"waggle/shared/notify"
)

// payload is a message as it waits in a channel: on each rung.
type payload struct {
	Rungs []notify.Content `json:"rungs"`
}

// of is the message in the forms that channels of a kind send.
func (p payload) of(kind notify.Kind) payload {
	rungs := make([]notify.Content, len(p.Rungs))
	for i, c := range p.Rungs {
		rungs[i] = c.For(kind)
	}
	return payload{rungs}
}

// packer turns payloads into what is stored, and back: zstd with a dictionary, which the frame names, of a line of JSON and what that line
// gives the lengths of, one after another. The rungs repeat each other and our templates, so that a thirtieth of the bytes is left; a table
// that keeps rows beside their keys, as SQLite does here, searches the slower the larger its rows are.
//
//	{"rungs":[{"subject":"[Waggle] gallery failed","line":"✗ FAILED gallery","text":2163,"html":15663},{...,"text":551,"html":4852},...]}
//	✗ FAILED gallery ... <!DOCTYPE html> ...
//
// Texts stand as they are, since escapes and base64 hide what they repeat. Earlier versions wrote the JSON of a payload, in zstd without a
// dictionary or bare; both are read.
type packer struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// packedRung is a rung in the line of JSON: numbers are lengths in bytes, in the order of the fields.
type packedRung struct {
	Subject     string       `json:"subject,omitempty"`
	Line        string       `json:"line"`
	Text        int          `json:"text,omitempty"`
	HTML        int          `json:"html,omitempty"`
	Markdown    int          `json:"markdown,omitempty"`
	Blocks      int          `json:"blocks,omitempty"`
	JSON        int          `json:"json,omitempty"`
	Attachments []packedFile `json:"attachments,omitempty"`
	// Same says that the attachments are those of the rung before, which are not there again.
	Same   bool     `json:"attachments_of_before,omitempty"`
	To     []string `json:"to,omitempty"`
	Footer string   `json:"footer,omitempty"`
}

type packedFile struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type,omitempty"`
	Data        int    `json:"data"`
}

type packedHead struct {
	Rungs []packedRung `json:"rungs"`
}

// maxPayload is how many bytes of a message are read back: several times the largest mail.
const maxPayload = 256 << 20

// newPacker returns a packer. It takes 3 MB from its first message on.
func newPacker() packer {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true),
		zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderDictRaw(dictionaryID, []byte(dictionary)))
	if err != nil {
		panic(err) // the options are constants
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPayload), zstd.WithDecoderDictRaw(dictionaryID, []byte(dictionary)))
	if err != nil {
		panic(err)
	}
	return packer{enc, dec}
}

// pack returns a message as it is stored. Blocks or JSON that are no JSON are fault.Invalid.
func (p packer) pack(message payload) ([]byte, error) {
	var head packedHead
	var body bytes.Buffer
	text := func(s string) int {
		body.WriteString(s)
		return len(s)
	}
	var mistake error
	compact := func(form string, data json.RawMessage) int {
		before := body.Len()
		if len(data) > 0 {
			if err := json.Compact(&body, data); err != nil && mistake == nil {
				mistake = fault.New(fault.Invalid, "the %s of a message are no JSON: %w", form, err)
			}
		}
		return body.Len() - before
	}
	var before []notify.Attachment
	for _, c := range message.Rungs {
		r := packedRung{Subject: c.Subject, Line: c.Line, Text: text(c.Text), HTML: text(c.HTML), Markdown: text(c.Markdown), Blocks: compact("blocks", c.Blocks),
			JSON: compact("values for programs", c.JSON), To: c.To, Footer: c.Footer}
		if r.Same = len(before) > 0 && slices.EqualFunc(before, c.Attachments, sameFile); !r.Same {
			for _, a := range c.Attachments {
				r.Attachments = append(r.Attachments, packedFile{a.Name, a.ContentType, text(string(a.Data))})
			}
		}
		before = c.Attachments
		head.Rungs = append(head.Rungs, r)
	}
	if mistake != nil {
		return nil, mistake
	}
	var all bytes.Buffer
	lines := json.NewEncoder(&all)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(head); err != nil {
		return nil, fault.Wrap(fault.Internal, "encode a message", err)
	}
	all.Write(body.Bytes())
	return p.enc.EncodeAll(all.Bytes(), nil), nil
}

func sameFile(a, b notify.Attachment) bool {
	return a.Name == b.Name && a.ContentType == b.ContentType && bytes.Equal(a.Data, b.Data)
}

// unpack reads what pack wrote, in this version and in earlier ones; what does not read back is fault.Corrupt.
func (p packer) unpack(body []byte) (payload, error) {
	message, err := p.read(body)
	if err == nil && len(message.Rungs) == 0 {
		return message, fault.New(fault.Corrupt, "a message says nothing")
	}
	return message, fault.Wrap(fault.Corrupt, "read a message", err)
}

func (p packer) read(body []byte) (message payload, err error) {
	if len(body) > 0 && body[0] == '{' {
		return message, json.Unmarshal(body, &message)
	}
	var frame zstd.Header
	if err := frame.Decode(body); err != nil {
		return message, err
	}
	if id := frame.DictionaryID; id != 0 && id != dictionaryID {
		return message, fault.New(fault.Corrupt, "a newer waggle packed it, with the dictionary %#x", id).WithHint("use the newer waggle that wrote it")
	}
	text, err := p.dec.DecodeAll(body, nil)
	if err != nil {
		return message, err
	}
	if frame.DictionaryID == 0 {
		return message, json.Unmarshal(text, &message)
	}
	return parsePacked(text)
}

// parsePacked is the message of a line of JSON and what follows it.
func parsePacked(text []byte) (message payload, err error) {
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	var head packedHead
	if err := json.Unmarshal(line, &head); err != nil {
		return message, err
	}
	short := false
	take := func(n int) []byte {
		if n < 0 || n > len(rest) {
			short, n = true, 0
		}
		if n == 0 {
			return nil
		}
		taken := rest[:n:n]
		rest = rest[n:]
		return taken
	}
	var before []notify.Attachment
	for _, r := range head.Rungs {
		c := notify.Content{Subject: r.Subject, Line: r.Line, Text: string(take(r.Text)), HTML: string(take(r.HTML)), Markdown: string(take(r.Markdown)),
			Blocks: take(r.Blocks), JSON: take(r.JSON), To: r.To, Footer: r.Footer}
		for _, a := range r.Attachments {
			c.Attachments = append(c.Attachments, notify.Attachment{Name: a.Name, ContentType: a.ContentType, Data: take(a.Data)})
		}
		if r.Same {
			c.Attachments = before
		}
		before = c.Attachments
		message.Rungs = append(message.Rungs, c)
	}
	if short || len(rest) > 0 {
		return message, fault.New(fault.Corrupt, "its %d bytes are not what its first line says", len(text))
	}
	return message, nil
}
