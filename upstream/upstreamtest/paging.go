package upstreamtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
)

// limit gives the size of a page that a query asks for. As upstream does, it takes the nearest that there is,
// and the usual one for what is no number.
func (q *inquiry) limit(usual, most int) int {
	n, err := strconv.Atoi(q.query.Get("limit"))
	if err != nil {
		return usual
	}
	return min(max(n, 1), most)
}

// page gives the documents from an offset on, at most as many as limit says, and where the next page begins;
// 0: nowhere.
func page(docs []json.RawMessage, offset, limit int) (some []json.RawMessage, next int) {
	docs = docs[min(max(offset, 0), len(docs)):]
	if len(docs) > limit {
		return docs[:limit], offset + limit
	}
	return docs, 0
}

// offsetCursor writes a cursor as upstream does where it is an object with an offset.
func offsetCursor(next int) string {
	return cursorMember(next, base64.URLEncoding.EncodeToString(fmt.Appendf(nil, `{"offset": %d}`, next)))
}

// cursorMember writes the member next_cursor, null where there is no next page.
func cursorMember(next int, cursor string) string {
	if next == 0 {
		return `"next_cursor":null`
	}
	return fmt.Sprintf(`"next_cursor":%q`, cursor)
}

// decoded reads a cursor's base64, whichever alphabet it has; nil where it is none.
func decoded(cursor string) []byte {
	for _, e := range []*base64.Encoding{base64.URLEncoding, base64.StdEncoding} {
		if text, err := e.DecodeString(cursor); err == nil {
			return bytes.TrimSpace(text)
		}
	}
	return nil
}

// hugeOffset is one that upstream's database does not take.
const hugeOffset = 1 << 62

// readOffset reads a cursor of offsetCursor's. What can't be read is page one; ok is false for what upstream
// crashes on: JSON that is no object, and an offset that its database does not take.
func readOffset(cursor string) (offset int, ok bool) {
	text := decoded(cursor)
	if !json.Valid(text) {
		return 0, true
	}
	if text[0] != '{' {
		return 0, false
	}
	var of struct {
		Offset json.Number `json:"offset"`
	}
	if json.Unmarshal(text, &of) != nil || of.Offset == "" {
		return 0, true
	}
	n, err := strconv.Atoi(of.Offset.String())
	return max(n, 0), err == nil && n < hugeOffset
}
