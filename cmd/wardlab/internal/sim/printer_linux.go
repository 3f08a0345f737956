package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// ippPort is the Internet Printing Protocol's.
const ippPort = 631

// Printer announces its services and prints what it is sent, until ctx ends.
func (s *Stage) Printer(ctx context.Context) error {
	h := s.host(cast.Printer)
	done := make(chan error, 1)
	l, err := h.Listen(ctx, ippPort)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(s.ipp), ReadTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		server.Shutdown(sctx)
	})
	defer stop()
	go func() { done <- server.Serve(l) }()

	c, err := h.ListenUDP(ctx, wire.MDNSPort)
	if err != nil {
		server.Close()
		return err
	}
	defer c.Close()
	if err := h.Join(c, wire.MDNSGroup(), 255); err != nil {
		server.Close()
		return err
	}
	// The keys of Bonjour Printing 1.2 that name the product.
	txt := []string{"txtvers=1", "qtotal=1", "rp=ipp/print", "pdl=application/postscript,application/pdf,image/urf",
		"ty=" + h.Model, "product=(" + h.Model + ")", "usb_MFG=HP", "usb_MDL=" + h.Model, "adminurl=http://" + h.Name + ".local."}
	services := []wire.Service{
		{Type: "_ipp._tcp", Port: ippPort, TXT: txt},
		{Type: "_pdl-datastream._tcp", Port: 9100, TXT: txt},
		{Type: "_printer._tcp", Port: 515, TXT: txt},
	}
	// The instance name of an HP printer: model, and the end of its MAC.
	message := wire.Announcement(fmt.Sprintf("%s [%s]", h.Model, h.Name[3:]), h.Name, h.Addr, services)
	to := netip.AddrPortFrom(wire.MDNSGroup(), wire.MDNSPort)
	every(ctx, 2*time.Second, func() {
		if _, err := c.WriteToUDPAddrPort(message, to); err != nil {
			s.report(ctx, Talk{cast.Printer, cast.Printer, "udp/5353", "mDNS announcement", err})
		}
	})
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("printer: %w", err)
	}
	return nil
}

// ipp answers print jobs; the Server field has the shape of HP's own.
func (s *Stage) ipp(w http.ResponseWriter, r *http.Request) {
	h := s.host(cast.Printer)
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	w.Header().Set("Server", fmt.Sprintf("HP HTTP Server; %s - 1PV87A; Serial Number: %s; Built: %s", h.Model, h.Serial, h.SW))
	answer, err := wire.IPPResponse(body, h.Model)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/ipp")
	w.Write(answer)
}

// print sends one job from a host to the printer.
func (s *Stage) print(ctx context.Context, from cast.Part, userAgent string) error {
	c, err := s.dial(ctx, from, cast.Printer, ippPort, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	host := s.host(cast.Printer).Addr.String()
	body := wire.IPPRequest(wire.IPPPrintJob, 1, "ipp://"+host+"/ipp/print", []byte("%PDF-1.4\n%%EOF\n"))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+":631/ipp/print", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/ipp")
	return roundTrip(c, r, userAgent)
}
