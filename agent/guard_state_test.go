package agent

import (
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
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

// packagesFor type-checks the whole module, without tests, as one system
// builds it.
func packagesFor(t *testing.T, goos string) []*packages.Package {
	t.Helper()
	cfg := &packages.Config{Dir: "..", Env: append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0"),
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps}
	pkgs, err := packages.Load(cfg, "./...")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pkgs {
		for _, e := range p.Errors {
			t.Errorf("%s: %v", p.PkgPath, e)
		}
	}
	return pkgs
}

// TestNoMutableState: a package-level var is an embedded file, a sentinel
// error, an interface assertion, or a table that nothing assigns to, takes the
// address of, or hands to what changes it.
func TestNoMutableState(t *testing.T) {
	for _, goos := range []string{"linux", "darwin"} {
		t.Run(goos, func(t *testing.T) { stateless(t, packagesFor(t, goos)) })
	}
}

func stateless(t *testing.T, pkgs []*packages.Package) {
	vars := make(map[*types.Var]bool)
	for _, p := range pkgs {
		for _, name := range p.Types.Scope().Names() {
			v, ok := p.Types.Scope().Lookup(name).(*types.Var)
			if !ok {
				continue
			}
			vars[v] = true
			if why := mutable(v.Type(), nil); why != "" {
				t.Errorf("%s: package-level var %s %s: state belongs to a value that somebody owns", rel(p.Fset.Position(v.Pos()).String()), name, why)
			}
		}
	}
	for _, p := range pkgs {
		for _, f := range p.Syntax {
			ast.Inspect(f, func(n ast.Node) bool {
				for _, x := range touched(p.TypesInfo, n) {
					if v := root(p.TypesInfo, x); v != nil && vars[v] {
						t.Errorf("%s: changes, or takes the address of, package-level var %s: state belongs to a value that somebody owns",
							rel(p.Fset.Position(n.Pos()).String()), v.Name())
					}
				}
				return true
			})
		}
	}
}

// TestInterfacesStaySmall counts what embedded interfaces bring as well.
func TestInterfacesStaySmall(t *testing.T) {
	for _, p := range packagesFor(t, "linux") {
		for _, name := range p.Types.Scope().Names() {
			tn, ok := p.Types.Scope().Lookup(name).(*types.TypeName)
			if !ok {
				continue
			}
			if it, ok := tn.Type().Underlying().(*types.Interface); ok && it.NumMethods() > 5 {
				t.Errorf("%s: interface %s has %d methods: with more than five its fakes become hollow", rel(p.Fset.Position(tn.Pos()).String()), name, it.NumMethods())
			}
		}
	}
}

// mutable says why values of the type hold state by their nature: locks,
// channels, and pointers to more than a compiled expression.
func mutable(t types.Type, in []types.Type) string {
	if slices.Contains(in, t) || types.TypeString(t, nil) == "embed.FS" { // embedded files are read only
		return ""
	}
	in = append(in, t)
	name := types.TypeString(t, nil)
	for _, bad := range []string{"sync.", "sync/atomic.", "bytes.Buffer", "strings.Builder", "context.CancelFunc"} {
		if strings.HasPrefix(name, bad) {
			return "holds a " + name
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Chan:
		return "holds a channel"
	case *types.Pointer:
		if name != "*regexp.Regexp" {
			return "holds a pointer, " + name
		}
	case *types.Struct:
		for i := range u.NumFields() {
			if why := mutable(u.Field(i).Type(), in); why != "" {
				return why
			}
		}
	case *types.Array:
		return mutable(u.Elem(), in)
	case *types.Slice:
		return mutable(u.Elem(), in)
	case *types.Map:
		return mutable(u.Elem(), in)
	}
	return ""
}

// touched lists the expressions that n changes or takes the address of.
func touched(info *types.Info, n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return append(aliased(info, n.Rhs), n.Lhs...)
		}
		return aliased(info, n.Rhs)
	case *ast.SliceExpr: // of an array it takes the address
		if _, ok := info.TypeOf(n.X).Underlying().(*types.Array); ok {
			return []ast.Expr{n.X}
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
		if f, ok := info.Uses[sel.Sel].(*types.Func); ok && len(n.Args) > 0 && changes(f) {
			return n.Args[:1]
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

// aliased lists the maps and slices that get a second name, by which they could
// be changed.
func aliased(info *types.Info, rhs []ast.Expr) []ast.Expr {
	var out []ast.Expr
	for _, x := range rhs {
		if _, ok := ast.Unparen(x).(*ast.IndexExpr); ok {
			continue // an entry of a table
		}
		t := info.TypeOf(x)
		if t == nil {
			continue
		}
		switch t.Underlying().(type) {
		case *types.Map, *types.Slice:
			out = append(out, x)
		}
	}
	return out
}

// changes reports the functions of the standard library that change their first
// argument in place.
func changes(f *types.Func) bool {
	if f.Pkg() == nil || f.Signature().Recv() != nil {
		return false
	}
	switch f.Pkg().Path() {
	case "sort":
		return !strings.HasPrefix(f.Name(), "Search") && !strings.HasSuffix(f.Name(), "AreSorted") && f.Name() != "IsSorted"
	case "slices":
		return strings.HasPrefix(f.Name(), "Sort") && !strings.HasPrefix(f.Name(), "Sorted") || f.Name() == "Reverse" || f.Name() == "Delete" || f.Name() == "DeleteFunc" || f.Name() == "Compact"
	case "maps":
		return f.Name() == "Copy" || f.Name() == "DeleteFunc"
	}
	return false
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
		case *ast.SliceExpr:
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
