package agent

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

func TestNoInit(t *testing.T) {
	for _, s := range load(t).files {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init(): what runs at start is written in main and agent.New, where it can be read", s.path)
			}
		}
	}
}

// TestNoMutableState type-checks the whole module: a package-level var is an
// embedded file, a sentinel error, an interface assertion, or a table that
// nothing assigns to or takes the address of.
func TestNoMutableState(t *testing.T) {
	cfg := &packages.Config{Dir: "..", Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes |
		packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps}
	pkgs, err := packages.Load(cfg, "./...")
	if err != nil {
		t.Fatal(err)
	}
	vars := make(map[*types.Var]string)
	for _, p := range pkgs {
		for _, e := range p.Errors {
			t.Errorf("%s: %v", p.PkgPath, e)
		}
		for _, name := range p.Types.Scope().Names() {
			v, ok := p.Types.Scope().Lookup(name).(*types.Var)
			if !ok {
				continue
			}
			vars[v] = p.Fset.Position(v.Pos()).String()
			if why := mutable(v.Type()); why != "" {
				t.Errorf("%s: package-level var %s %s: state belongs to a value that somebody owns", rel(vars[v]), name, why)
			}
		}
	}
	for _, p := range pkgs {
		for _, f := range p.Syntax {
			ast.Inspect(f, func(n ast.Node) bool {
				for _, x := range touched(p.TypesInfo, n) {
					if v := root(p.TypesInfo, x); v != nil && vars[v] != "" {
						t.Errorf("%s: changes, or takes the address of, package-level var %s: state belongs to a value that somebody owns",
							rel(p.Fset.Position(n.Pos()).String()), v.Name())
					}
				}
				return true
			})
		}
	}
}

// mutable says why values of the type hold state by their nature.
func mutable(t types.Type) string {
	switch t.Underlying().(type) {
	case *types.Chan:
		return "is a channel"
	}
	s := types.TypeString(t, nil)
	for _, bad := range []string{"sync.", "sync/atomic.", "bytes.Buffer", "context.CancelFunc"} {
		if strings.Contains(s, bad) {
			return "has type " + s
		}
	}
	return ""
}

// touched lists the expressions that n changes or takes the address of.
func touched(info *types.Info, n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 {
			if b, ok := info.Uses[id].(*types.Builtin); ok && (b.Name() == "delete" || b.Name() == "clear" || b.Name() == "copy") {
				return n.Args[:1]
			}
		}
		sel, ok := n.Fun.(*ast.SelectorExpr)
		if !ok {
			return nil
		}
		if s := info.Selections[sel]; s != nil && s.Kind() == types.MethodVal {
			_, ptr := s.Obj().Type().(*types.Signature).Recv().Type().(*types.Pointer)
			_, isPtr := s.Recv().Underlying().(*types.Pointer)
			if ptr && !isPtr { // the call takes the address of a variable
				return []ast.Expr{sel.X}
			}
		}
	}
	return nil
}

// root is the package-level variable that the expression is a part of.
func root(info *types.Info, x ast.Expr) *types.Var {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			v, _ := info.Uses[e].(*types.Var)
			return v
		case *ast.IndexExpr:
			x = e.X
		case *ast.SelectorExpr:
			if v, ok := info.Uses[e.Sel].(*types.Var); ok && !v.IsField() {
				return v
			}
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		default:
			return nil
		}
	}
}

func rel(pos string) string {
	if i := strings.Index(pos, "/agent/guard"); i >= 0 {
		return pos
	}
	if abs, err := filepath.Abs(".."); err == nil {
		return strings.TrimPrefix(pos, abs+"/")
	}
	return pos
}
