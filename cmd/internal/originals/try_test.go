package originals
import ("testing";"os";"os/exec";"strings";"fmt";"path/filepath";"time";"context")
func TestTry(t *testing.T){
	if os.Getenv("TRY")=="" { t.Skip() }
	m:=newMachine(t)
	dir:=t.TempDir()
	for n,x:=range sightFiles { put(t,dir,n,"%s",strings.ReplaceAll(x,"DIR",dir)) }
	os.MkdirAll(dir+"/state",0o755); os.MkdirAll(dir+"/log",0o755)
	for i,c:=range checks {
		if o:=os.Getenv("ONLY"); o!="" && !strings.Contains(","+o+",",","+c.monitor+",") {continue}
		hosts:=c.hosts
		if hosts=="" { hosts="127.0.0.1"; if c.fails {hosts+=" 127.0.0.9"} }
		words:=m.ports().Replace(strings.ReplaceAll(c.words,"DIR",dir))
		cmdline:=words+" "+m.ports().Replace(strings.ReplaceAll(hosts,"DIR",dir))
		if a,ok:=strings.CutSuffix(words,";;"); ok { cmdline=a }
		path:=monDir+"/"+c.file(); if _,err:=os.Stat(path); err!=nil { path=localDir+"/"+c.file() }
		begin:=time.Now()
		ctx,cancel:=context.WithTimeout(t.Context(),60*time.Second)
		cmd:=exec.CommandContext(ctx,"sh","-c","exec "+path+" "+strings.ReplaceAll(strings.ReplaceAll(cmdline,"(","\\("),")","\\)"))
		if strings.Contains(cmdline,"\"(") { cmd=exec.CommandContext(ctx,"sh","-c","exec "+path+" "+cmdline) }
		cmd.Env=append(os.Environ(),"MON_GROUP="+c.group(i),"MON_SERVICE=check","MON_STATEDIR="+dir+"/state","MON_LOGDIR="+dir+"/log","MON_CFBASEDIR="+dir)
		cmd.WaitDelay=time.Second
		out,_:=cmd.CombinedOutput()
		cancel()
		mark:="  "; if (cmd.ProcessState.ExitCode()!=0)!=c.fails { mark="!!" }
		fmt.Printf("%s %s exit %d wall %.1fs cpu %.2f: %s\n   %q\n",mark,c.group(i),cmd.ProcessState.ExitCode(),time.Since(begin).Seconds(),(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()).Seconds(),filepath.Base(path)+" "+cmdline,out[:min(len(out),600)])
	}
}
