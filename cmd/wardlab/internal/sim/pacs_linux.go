package sim

import (
	"context"
	"net"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// PACS accepts associations and answers every command with success, until ctx
// ends.
func (s *Stage) PACS(ctx context.Context) error {
	l, err := s.host(cast.PACS).Listen(ctx, dicomPort)
	if err != nil {
		return err
	}
	return serve(ctx, l, func(c net.Conn) {
		var pending *wire.Value
		var pendingCommand wire.Command
		for {
			p, err := wire.ReadPDU(c)
			if err != nil {
				return
			}
			switch p.Type {
			case wire.DICOMAssociateRQ:
				a, ids, err := wire.ParseRequest(p.Body)
				if err != nil {
					return
				}
				a.Implementation, a.ImplementVersion = "1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367"
				c.Write(a.Accept(ids))
			case wire.DICOMData:
				values, err := wire.Values(p.Body)
				if err != nil {
					return
				}
				for _, v := range values {
					if v.Command {
						cmd, err := wire.ParseCommand(v.Data)
						if err != nil {
							return
						}
						pending, pendingCommand = &v, cmd
					}
					if pending != nil && v.Last && (v.Command != pendingCommand.DataSet) {
						c.Write(wire.Success(pending.Context, pendingCommand))
						pending = nil
					}
				}
			case wire.DICOMReleaseRQ:
				c.Write(wire.ReleaseReply())
				return
			default:
				return
			}
		}
	})
}
