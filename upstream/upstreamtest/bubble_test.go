package upstreamtest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	ut "esagate/upstream/upstreamtest"
)

// TestBuyersOnFakeTime: what the agent keeps for buyers follows the fake clock, and ends with the agent.
func TestBuyersOnFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ut.Options{Now: time.Now}, ut.Healthy())
		tenant := gam("tnt_a", ut.Healthy())
		tenant.Stocked = true
		w.SetTenant(tenant)
		server, dial := w.Pipe()
		transport := &http.Transport{DialContext: dial}
		d := &door{at: server.URL(), header: buyers(), transport: transport}
		d.Client = &http.Client{Transport: d}
		defer func() {
			w.Close()
			_ = server.Close()
			transport.CloseIdleConnections()
		}()
		told := make(chan string, 1)
		s := session(t, d, "2025-11-25", told)
		done := make(chan *mcp.CallToolResult)
		go func() {
			res, _ := s.CallTool(t.Context(), toolCall("follow_media_buy", `{"media_buy_id":"`+tenant.PendingBuyID()+`"}`))
			done <- res
		}()
		<-told
		time.Sleep(time.Minute)
		w.SetMediaBuy("tnt_a", tenant.PendingBuyID(), "active", "")
		if res := <-done; res == nil || res.IsError {
			t.Errorf("%+v", res)
		}
		time.Sleep(11 * time.Minute) // sessions that nobody uses end
		if _, err := s.ListTools(t.Context(), nil); err == nil {
			t.Error("the session goes on")
		}
	})
}
