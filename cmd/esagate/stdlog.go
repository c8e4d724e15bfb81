package main

import (
	"log"
	"log/slog"
)

// takeStandardLog sends what libraries write by package log to our own log. The
// HTTP client is among them: it quotes bytes of unknown servers. So the log says that
// something was written, and not what.
func takeStandardLog(to *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(standardLog{to})
}

type standardLog struct{ to *slog.Logger }

// Write implements io.Writer.
func (l standardLog) Write(p []byte) (int, error) {
	l.to.Debug("a library reported something", slog.Int("bytes", len(p)))
	return len(p), nil
}
