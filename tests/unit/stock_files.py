"""State files of real stock schedulers, and what these schedulers answered when they had loaded them.

Both come from tests/differential/fill_state.py, run with the luigi and the Python that an entry of STOCK_FILES is named
after; an entry holds the file and the answers, each as `packed` makes it.
"""

import base64
import json
import zlib

import luigid

#: What luigid says differently by design: workers are given time to come back, so they have been active just now.
NEWS = ("last_active",)


def take_over(state_path, told):
    """A scheduler of ours with the state in a file, in the world of which stock told: its time, settings, resources."""
    scheduler = luigid.Scheduler(
        clock=lambda: told["now"], resources=told["resources"], state_path=str(state_path), **told["settings"]
    )
    scheduler.load()
    return scheduler


def comparable(reply, model):
    """A reply without what its model lacks (an older luigi did not tell all), and with all lists sorted."""
    if isinstance(reply, dict) and isinstance(model, dict):
        return {key: comparable(value, model[key]) for key, value in reply.items() if key in model and key not in NEWS}
    if isinstance(reply, list) and isinstance(model, list) and len(reply) == len(model):
        pairs = zip(sorted(reply, key=identity), sorted(model, key=identity))
        return [comparable(*pair) for pair in pairs]
    return reply


def identity(item):
    return (item.get("task_id"), item.get("name")) if isinstance(item, dict) else item


def disagreements(scheduler, told):
    """What a scheduler answers otherwise than stock: [method, arguments, its reply, stock's reply]."""
    found = []
    for method, arguments, stocks in told["said"]:
        reply = json.loads(json.dumps(getattr(scheduler, method)(**arguments)))
        reply, stocks = comparable(reply, stocks), comparable(stocks, stocks)
        if reply != stocks:
            found.append([method, arguments, reply, stocks])
    return found


def packed(data):
    return base64.b85encode(zlib.compress(data, 9)).decode()


def unpacked(text):
    return zlib.decompress(base64.b85decode("".join(text.split())))


STOCK_FILES = {
    "luigi 2.8.0, Python 2.7": (
        """
c-p0#-;d+A5y$(izv9rB&C4A~&X5#=qCnEiHH#L$AeS^R0SwvJYTfhNuI<g`{^b4_<;;lsW!bXPeUN3EqWI&(nJ<UjZ@yXWb@u7upSv$}^N{ULwp{M^U+0Ii
%Hn0Y+a6Dc*X3z<$o7zZv)sI{tM$9%^0{2SZpuUUb8-Bf?J--<=Zn|%=Ct0<=h<%Y?{ay{_BNZHe%iY%zQf0N6w76~KON^U<?&cl<uSf4&mNV^j-MW$ikJ1~
YfK4JnRuu9hnF3_h`v%a_v?MRS#SBfp`Z7~p?I19zCNxO>&^PK=2A7#D>YJvrmE?+u~o-?Y?kD-oYPUx^@<XFR&l|H@^qm3=scUnuZ!Zed@dGJlaOltWq0^o
9;hIrvTCe<J|0%(p<I0`V|N&xRnjHK&}$9E7QGaEdK@{y#)L1LzQ<16><v}MWd+^FY7|vWkW0MgS#gY2D7RE?6EaFUE>g|s``u=}qz1r+n*BuCe&k#+lkSh;
>2<#;V{)wLBV>;u{bi3fw)_;E0KnaUSnm$&6Tb(u59Xb128DVBxO>6HX03`7^&Joh5ww`=RQ_?Ilsx;_f8YFN@z*yGZ~pw|w^ya?GJY6k@;ATzqLk84PN_G4
qF+=I^M~x124v1-hKh&icq&e>4PBJ3IX#Z|?)9+b@kZ`=<hsZFpUdanW+fwt1Bj0_WEdL|dmo()L~J+uta%qbmB;qH|2X@e?gRbwx~Ha6y{yVU=va6D)9(!T
&1wBYb+fwjn|jy$G(Ws<x9e?1SqxWS80)43r=JeR@^eg?zaBP}ik$kqUaiXQycq$@BVZYDDxyZ%`iQU=&R=%FbCQ6*KkTa5W5@ZvjD5B}Nmtq+KfW#^FKy{g
QRyyn-HdA$$Fr)(XjSexm&q#WNU{dp_vIgZs<e|zw{vv0K2i<mbuT%~zdsf0&Fg^&(7AD%Kh#-b4xeV3%ei)OYQ(3aS=(%)Ra(cXpRLOOyhgmesw?HWE559^
E4Dn|2<P<b_2GD$*A+<B@-zYqo^0PShGaQCa?L7CulL;bK32H4auwM&et@z^j;d(WDzamhSS+8@tvnX!Ha5j$)@8WELC&3@YsyGtSFv59ueC9%T7#1__c=t2
+0x|5Ku5H5+t`@gk&TH7a*0<*Hl`xu5^rOBtJ;`UKtq1nIONp0Xb>K$6=DSPyaUOxigWhU11`eTqV&q@C*#Y~E%V%?(ss2_PuA;#8c8MaM6Tl8t+=&urq(>|
gK8#b;GbwZe)sLqfBRwn(=W5x<LvL`QmBV}lhIN_cLpNQ&MHp1K_=kx;|-Bo$!rQh3H1!Bc-~YzK`NOK0eemD;UB0}#=c^>s~YI4#Wt|R44$#A8b$-b(U4i4
F{r4eVZfkPTq7N8I!d8d<{U$<py5y}tU(Mk5_w&my#+e0oaFWiJFW7>omQa%Pe)fD$)lwD8b4xMf{*U+pigUkhM$h@lR;65ziPmiw5kJ_*3i(UNlg%5)eSVk
JAXS(THEV5Y3+Jd@A0Iyp9D(lT*?Upq_k0&m?Ax>S!L-VQX*b-R4+ZGYSCtJ1Sp<dHBg4sz>AbkjruA=jMR&OMz3s0GgNf+3ZGflsq9g6wiZ1#j$TBB9*>kH
^nldX7sKTs6Bx;;=$;V-*WwsEn{WiOg!DsEf1!^kzK)cUe@J}B)O+}Zyynxld_t%PS@)c1#o~r2<?odU7)|(ccNosoVU}`oqZ)G2B*WO6M2#?{I6-?RO!^$B
Y@;Y6j-nh}o;5VbijFq4k2Sh!tfLg;0`no(B*d<nN@V4)hG1J^#+nPZ(!vPZ7F)Eft!<^|22UGED+bcG2GX_$(sm4_69Z}4Kw2@7u45qGeFoBv7)X~4BtG=G
n>EmpbnCI^u(glQCdz*Ne)hhm%()?DI6@gV=5oeh%?4CCKVcwU-m7|_Bp0Sh@={Kefdi7fxkS=zx7e+|ij9oP1C+dsW^7jvr3V3M*3jc!OOGf*qQ^sai;eSQ
)_rK`$vJ0We4<n$Wa3ACy$6uo2q3beONitQz&RK>4!}sFl8bT)j9+H|n0@?p#*1n{1fw=Jqt<5}i#$(QsBtXVzxQDXY8r+hW+3|c0Sv7BMq!}U$5B`a!)1UD
Qr$3E2=Fuf#K=lOhjuBTLs|<^;S5IVqY#&sJa?{OVnhNOl7MxXfkmHSVxrcgz(V|}ucMflQA`YrL$V{Pfy5{~;m8_pjB<T$3@Jr+UR-#d!1?g)<3GQD&ry~z
<VKGe6n)*G7_F|8W3;}(M;RV3vVrWGFY#n#L`@Ws9iHNMJFGFcnqpCX$cF8zJz2S_C7K~LddL|Oe1-&H&y&$J^aSg^0dj_Ammp`1sgX0RFDGr0F?AW(KxS%n
MQs(mBudK|R#%i(U+Kd)zKrhgFjdCn=M0)~GlQT841(@32(@;qMqC-xYeqeic8NTgSUMWODe__-o6N@?Xf(mqm7QJ+7!WdGxD+sWVJT2i@dLb&Eu=v+ZqW>m
2qlB9P%@Z=5*0qMXyS3Mv4&0xX;hQJyftW1{1IMAQi-qkz{I+30FzC|048CwW&jh(<OU{-$)LS|{PgX2wMk>q*aORqm^3p1mUR;*jWp(1EBYqQ=7P|thtu<6
y)3zcwRJnI;0Rvz%bf1pI%kGWDZ1YWUy~_xaM=_}e{{Vs?_Ri}_cc!X$6fHg#*KJi<67@)T=KqD_>k2JQbku9-@0DkalKw#uV>fm;XYFRi0k!sG!Q#Rsvo*u
-*vsdcD>bz!!>7UUgMJEnAf<>)p(uzTyorxx!i4qN>->B&0H?ym=Anz-lJIBnqP6aCL#8Ngw@&I=4b9U7o(aF+^sysyE9|{HqeGv@xUYa>0$Z6i}_Cvi-#2C
kRA+;E6#6o#i1^~b;Y6MibK~G2XV!LU2zas96GKz+~<nJh${|3S}7il+bK4PTiOW+4+sS{aLk}Ojv3Sy$E@FtD8g&j6BNaUI@P)2p+RA{K?6`hO~-dZ!lIyt
5nfOiL%bhXD~1o$Fv1I3s-*`J-uMLN*CX*=&~1Ddbc*i+PxVQ>AU)?2UceGjY#M0Zr=*YidIvwC!x=xoQgs9mGuR0LV>);kxTf1iWZP9d3|=>4z`nT;f|(9r
f${S6Fn|SSB7nsxz%YOX67&SP5WoT$(PaRwE(1uq3|JOR3>K0`yB^E}kk*h1ufc$jf?0s731$IuWP+0FD}Ct3>d^f?)Sx*FW&uJ+Mvq4OrBz*ku#IK`+S{Z3
cyp*9&|R1RfWBAnK2n%ZBNYWNl|#YJK2la+N2=Itc*EWdp|XNWY{xiM67(EEW!tzG*c8_Smd7<ztTd;sjg|H|)j&nsvWAMfCqd;{Oi@yOr4MMKA~AUfRPJ0}
flKo0rP%U`2j|A&;>>=4m&;qcSW~ijI*-Gj@pb!F5_mPimzT9nRad>wmp9XVc^O}iL%w)LFv{1@yS*4JKU_$H7n2d?W{<7-1m_PUWO0bICQJ6ddCIt(Xp(Jk
X!pUP-3W)yPB_R`IPhLL$YwZncEjPm?Qlr@;k|GwG+W}6Q3}XIz2CzJ6;8#T&(cI$`GJF^ebRz%NefqW(%m6fnA-V<Fde=CQlm6WH7|T<w@+$%gToBMOE`0w
;iAL*c-TJ|TV5Ta8hT7r>@iUdJf=LvkBqoXRISTIm0Tt&bqj+i>JQsZaa3*e0u@IukaxoQdIx5x&!ZQp^{s0{)cxoMmzZ=Eo~;AzIX(6&J*bDfgY}bID_@5^
IxL~KH>?a%Ph*4HOMyddP)}i_`OMfEHb$^97qKy8*q9DBroqPChK&(yOpA@_U}FRu!`PTRv4Ih6K;LSc5YDlIEArcpgiY=B=oZ3#<iIUk%m_D-BbpZBj2yU3
&eM}%gJ;-C+!Tj#)A$7EA7iEyHN_@sig+6{5-7zsP>MVz5(z*IZ6p9KZ!jZAP5Bx>Y`eis_xB)W^*K`3+>DeR>@*{(&$PHho5cA@>=e$HcGtMF6M7u2zl9__
EzD7bEV`jEM>iqNDa4O%D9h0aAMS!IM>itN(Y3N1U6SQgc#`Gl@>|w==%h8ik>%(cS&qJy<tQ;uN~*8)(aLhVzlW<P>e;UKu!(xYg-{X>gPrJo=R9wIMT?Kv
Dm*_Eld@41>ABqO%L9#ogg(2t<rDH8bKPr7pR#;fo}<J)F(1lv%rD4u&P^w>c4CC;;O5!++F$t;GG)lymk9)cj&iQIPdh#WEha8-D05RBPxGog&FKs?|5_hi
E{>o1@O0>TjbP=d>r;6sCCZCY6wXpX#qzZNT~dA9`PQ-n;3L@wId_dAKN}oAL`Fx8B|~VAKkt{_|3{$SiGWy@Ru<GD1SpNB%)qt-tYW-uv@uoPa4XTl<8d9U
vpsQ%ww*>2*rjebgQwpYR<_3FD5zD0#PjYb<<SPx*WGr-lvyP<bfinFem{t`m!>m^byHb1a#IP|g&b}hwp2^&=n!RUDIboEO@j8AG>t2tZO61EquM4j-*0ul
$?+MAQ7gsgo9M`j=fih~>;^@rX{i{mKtEAPBAO9e-E-Z#T}2I%E;>C&jJP)W|Jy^%xi!T3wvgldM$5UxJ=^HBe=^}LJO@61DGn8*C0pdy5FyLm_EZWV{7)ax
uLu5b6KnXSe)?Ax{`UsU$0Xz0bzxRd;q9s{%D1@4?c4mxEZ#<mg7CETOYIh%InU}DmYxpvk;-F{_OW=FHQ@O;1KS}>W;l(r$UC07{SgD&+vEYF4Ul-{pf8CW
9v0SYGJ$XDd_CIrV&W}rK}(k(Yikm_dVkn0V?W8f<-PCJ#X#d9b@(H;t)}LRy|XDS8E^R*`bR>A|Aj(J%TSaGt@*R!Lo{vKDJC-L$-mm@P9(2*pCZl!%0yw6
)4Trx(Lq0i
        """,
        """
c-rk<ZExGU75*!RzbpgVLZalGbl4rxuD!d(Jon<hU>}-5P%JtYVoRDNHw%jV_mR{aDU;%%EZJ%1en@SS;&Wa|K8Ms{@@*Q$57WO)>>n)p&$ce#T+UuirYX+i
UAn{>srxn!!t9=WaGpp_=7$0K{N>9u_p^I%6K47J6={>@e!ip4r{wE&mt=X0{jJ9pKhb9I{d~Fhtg72&<3D<lzs0l#tGfvN9RFzjnf9{rv)tPyv?OSRw5-`1
i_{8_(dLPt`rA@s@(8W7DC#sx!#EA|M^f^ZeU0ykf|-|KqGFW$ceHJ^+icpJKk)@#x{IPPx~nRPYH9A}A(Nt(%_$7n=>7iP?|=W<`}L2-;?v?E)4Iyr5(xxk
+7pM-(l$^1<vpqKcIl>h<{?h+amqb4eXyr>ImQ1%OKzyVh3Rdb>Ft3`Zy(+CE|cxqS{~^vj|Q?lI)UZUvmW#gvyZ=A;v}zypbc04Cc~szhgTepSD5Ayw>T$o
i|Cbu{K52uI%JJEM4@h{xVrh^c3R#o7Fvkq-Ek~mwpH1_#RI>5TzoJyepL#yxlk^%x4+pOFb%eT^f=J^M7wHx#2R}p%v$8|9M&ehi62yiOzTQQel^MQfAb%&
cb0|UPX2oPx5=L-*VD=M_2hboEObTw3$C1i{KS?uq0KDoI_h+m(^|GDnv%z<vP1y-#ZZQEyxckOoHiAmV&0*`!9V%oCQ~?=)s5$1TU;F(+RJdT-CkIKdiQDm
@xu}Q%lQ`Re2Yf#EfQARF4v;(%eAPrMxWBNj?S~rD4qq+TIaZ~^>F0hZm>sxkn%j;;elM<TCP8Q`t9BO6L|gSFbHs@Sgec63tzK2w%_pHD;{dO&zEkEkFsn&
8(N&#QIA0=Iv+P266W3fD8bOB(&;lxbp(f$k#E()R)@fr!FJGCxsG_bwC+IxGcDnUkDPbwF@i>ks1R(73`x3(xoqU6p*=1>d|rG!#Wr;j-^RhCVhO(JbdDvg
yrN^CgGv8b{B!a7--~0D+UFopn3L38XqH6YqNI7JQIE2*J2in7CS9#mCS9$@WGFu7Cs5C0GuH|WEAk$~+t#VW!kTbCr^(t^g@#4tc#dx!Fc)wyV<$g5{ZS3?
U!?Uf8pXe0_oDC3y(bMTm}`HJ6UDqGHRDZMF&rUKN0_jtaZSBppd$DQZAQc%B-%OEtB$9eSM+1iyvj@<8h!aTU4<!e6-!xYkA&Kh{xT20@`}x7;=V90XgAtz
iFu=-5XLG?8u6-<T@?Oj$Bf;Sq}UI<G+FXnUbfqlyu*+Z0W~NShNwYVHz@Kd2GQ>U?W>0X>Y+~cY>;|(P54ZdQr4Dk<!tiUyy;MRkjcG{v%Kd{7-()AVs3Pp
xz8{Ep6AQI^C8&z5UlSZm|_WSRO6RWp&N%SsD73aa`dCTImsV{Kbou$9YxxQQRF$T=h>z8^dFP<(+!K;0-Shvsh_M_J}DcDEY-ARd^U1nt0qp09l&|9dvPcJ
0N0)m>W_O+&$*<sdC{O{c5X)39Y_K}LG}HE^HyQUhQE}n96h|)b@+87;fV9Wz)L+C2&1p06njddsWLx`n+kk(9*9xSDRsw6sdK~`Ub#v(ozEFNFEV4Nn9(at
w*fd!<Fq}OtBXc#E|-I1p}J^P^w7vfy7?sb0)w-4a5e<ahQc8o9D=|hD4e5%b0BaI6wcMbxez!P3P(@KG=TLnm<E$|r9~|lEh*+O+23k0D{P&RRR*(6$bmAL
D<OOBKWdF?L17vpoknN~jpAsDWnv<zn2t_NX9zL#bsEYA1<chtZ&D^{D{oRc9-B^daC7CHnU6YS=CJuv>@_;YLt}{t7*+hfYfr+9Ziwbt9ZHdPB!j54j+7|n
vswt2g(HO+A`3??UV*C>ugVyaN;pu)h+4=R9VjQ#%85pl6EJSM6Tp^`gY4Fo5|+43ygOW;kGEpnuDG*k`meocSP@?uLD)tRy|h3^5U3A?V+7&!fpCo=+&&O>
><9#D0z@bbA1vxYgzydsA%uEb2r=F=f<Q(Ps1Jl=1YtO;#E3_W(TZ(=Aak|54-1s%<|Bg(YP8z&fe5gBF(}a@wBisT2p5xR5%?Gc+I<s`=)31)2x#|0JfTMr
0{}A+WCmjBY>vsb2vYWyoqBaqaMk`7$sw7RhrwXBIaq(qkU1FY4d$4GIlaMLb1=6zSWVg{a1!Q*0P^$=gp+eP08Aiq7?^_1!C=T74D|+c%)$DMNRj4YXezD;
z|A!Sgk=b5XdDP*<Si+o1As(UhheFx9RSDiI}A%o@(`eg>488px`zM>oDalO5I-Ca^?>U$Jh(UjhSd%R%GW~$VDnb1D-_s!_tnM!CjHyM{`<<0fc>MM{X4+^
ou2)>`~3sh+ytTKa;**`fdesk`tH_ZkF{Y40%vz3>{GP~0s<qTo(K*Y!F)7{l-vm+VPY7@T<&Qx+fL2Ha1e+q+T;uCU8LSl014y5FgU*L1ZdMNu=j>!yL)eO
E3kKgS-S!D3DpP#!7<GJ%yDQZ08gFEco*e$YBqheNUJE*Fj;3&RqwH^mu$Jl!EVFyUf9)>x|%}N7gEYx?$%uvUK5tOA<aIQFjAfHp~^e9yY2=ZaCc{KEf6GW
r>Z*ROVRL_Mv|K*d1mh(mEQSC>wH`4d|U2(TkibR`|BVpl><>{DNAZ8OKvGkW~qaur1un0BVuzYv0lq6(6l-dqzhUSM_I8as0s@YZf&Vct2M58j1)hTm9BtD
)azL54hb23_YZ!0SJ3$~j&jV_py_&-rYu=ml*PG1w<uV>eH~yQzjkl0X0NYS==QbiT)NI`dAYQIxK&A8Cj`>hm2Cd*nSsc!)&K!Ch{#Wu$I6JcONWp>6(NI+
SxJe)59T(K`l)(wDIU2irC^U$^EzMS6z|Q<GuwRUY{Q;g`P*>wC|r}0>;S9MZA`sOYmzX*n=q;qk38jX?(JL%!Q<`!iQrm}X?_)*Y&T`*8o$n9zpXFPESrmP
gZS#GG~1X&Oh7(N1qla_CLqVUv_0X0oODueTUi?TLl_0@Pd&`6;;z{?{z|VxY<xOGY<gFtD9_VJj|CTWFg0MLA3~WCUgrEmZ>*=M{{huwGmQ
        """,
    ),
    "luigi 2.8.13, Python 3.9": (
        """
c-qC8OKcm*8OOOKMNyLF`qkD>+Jt$amD}1NsW(z6@>6!`u4Ko70<;Fb<PP=iisWwhVMPZw5@0D7FsKD&3aBX%JC`;=4$Yy-AwYltJrpevz_(m_P<;r{n}HT>
(AG)6ndQE0>d{(81aLVsJDmCczweuGXGaU^UtBzt5Pw%$AMLnknB@YaU#q*?jCRzn0#V&Mu^3HXRP0&yIy=0`c*mrsGLYyl+fil-7<H9cHoL)Z%oW%w?VK~L
S>6Om+C6FEU8257obdN4(p1?c)+gf!x?wNuC9sdsR6{ZGKDO+$-3m>s#Po*E%0|Ud=ecbi=Zv{>vGvU-%b*dCYctw8bxJ;YR-Qm>9j!sw#Ia95y_U!&613Ab
RmCA{q^ZLqjy2C@nz2a3xI(bB+q1fCxy`25oWYh|e4I!<O<pnU_?<N^&9F3Qo=uFWJ$$swBDUdLRbmT;X;njDB?)a&Otj_sb+4aGGc~25)#n*aA#Fx84TCdg
IH+cly4J+vK2x!jM)`_nYZa}oIhq)hW<;|;J_=$~DsZ*r6^GG-zket9!^&9hySb-xKgr!$csqCZ=GsCo(al`iYr2)XRxO7EKpqNEgnqmSnyQj!c#rN;s#Rh-
cDX@pTbaShSLiOmt85xL%slsN&jsEv<<(zjrPK>w{_&0He)M<gHMWRiYKm5O5ee^_J?&S50LaW~P1TrV*dNAdPt~Z`N!8JeCi<~MB|miu?|T7J)HKU>%B|tb
!m%>O#xBQFs<Y^pvTJdd?DnF-HyK;@o0c(yliFpIpj(=b*Zg=8)qdYHb~15h5Arv{`{+WYQuimNSsn<yfnBFv6~(E7sI1VesFZO{pk?q)NP8lo6U*5fJi=F@
2YOqrdwAT#G)xoNf0f}6zJ7zjW3=-nxg<|c%M891L@9hbEIuK_lQQIFcuIz+Wq2ltJa`sYOdm}!_?`?u!17W24B%%7KO-wJ3eUxz17k4WvgL%}52ukdoZ-fw
mEi>$N-~_oAImaKuE5j^oaeU=MsywANSC*s>rf}q5c;szumh3llaunPb_%Dqp)iFj9!0|UeU%u*R4OtN##}KEYS*jni1zD&_CpcvhlF;_bU1T+0E-@lYp_J%
8i8d2g10QgA}qO~%P+hn%RFJV0dhA4f<JsJY~*B0odU^sN=bVIF0IAwQz<+g73hajsmQs|WCJr!Y97~$9c4uK2I()zm%>7cC-UqWFU1sCgyS1t3@x@t2)E!C
fw#OET7<WP7=p)rT9-pwm)nF-$&Z_iH+z7nk4g$FC8$*4`B|#6QquLX{RTn3jUn_7mHL^0$D3@y4cqM<3@O^llcF6*^1F?Yz=!Z*JY8f?A3J;Q)X5-p%n$}I
J|T*K;l&UNx-q2EA?E*|<0iSa^uP)Q&IIL6bBhn77=`ht4Po4d+c6mMkxyYEq_7ZDScp-eX`@*sY-<$m!zY%&lmNxTHc|9PQLJx>;xqUx9v9h@XJ0&aJQ^9R
A(Qt)Cb!~DG7ebUwy3-tqw?<mL!~b;%q!gT3uqtlL9Mm{6{?5;>zJ(7;>+ltn`f4LaF4(jerEY1%q)NPk$oH@`*^d=lESGUZRXu5c^oHovHcBI>%9`1x|wi&
KlTt8q95Q_kANt*AoRidYBa^(4nf@B3`B>p=PN<cF{!F?5YKD^LO;wI9QM^e_)u976|ZmZdR2|-eFR%BbhFr4=A-IH0(BegzVtCJaZI@R`M}NHq8#qTdXFEw
c;Za?{vF8OK)y8IW(Oh~1&6M{^W4NZ3EY+CaeKgl<n;+Y?T$J9I-IAufy!vDLWc8$g<5f#kfG|x$nZeEFsN4YwZY+n!eC85A@Tg-6O6^j`7H@fbAr=?;L8z$
FGmUL$N4ZGHYu?~*a`u*@=jyZr?|aq`j2B^qEB2Mwgl7UV44Dq5dmXt2xiX?fhh)Ht~@F*Rt!w^`K!OWC72}+W=Viqj(}N?f`JvEO1RILA}>BP1Eh}cs?3Ko
wM{tv0i2)jG#nY$c$W033`D7{ZAs-#PUTHO<z|G+%@`Fw^-B4WO1@p{-GahEK;hRrP5}vYc?6VtJ<8y>TQYc`Gk9Mx_#ndIgZ7azzTNeb*c3*(p)}_M9v|%}
kCkA_h{(uJS|%v*cRT$LEi4Z_em~(fKH2c`D?<LhmBDLE2l#`j-MgJP`&Y8_@Ri4M=$|)Ieupc+^MG>GS0292N|zr-x%=pkLtO7PBS|yU;>0vK*2BGbH$Moi
5sUD5tgDQs!LS`hI~>3^X49U!VmoD}>S$M5C$zmNkoJn^8RC@rAuJ1mop#!eV%>Li>nQfDI2VSW!HlkPu)pM&1<t-hzrf3*{PG@NR%u#m)(l}@PbsB;&O7zf
Ztq-?55+)oX|{FPr;4*qvl^a#Uh>Xcn@WQ)`WSXIMIw0M7?IJ;?3`lFc;~a7d}Mwk2#095f6$0k`t0z4Iy_Vv9Xv9U9~nI|P%91{8SNh)I8q#{<clLi{bX>Y
z-VXHXgZ|H(Sd7O^UQS>x1z6bS%1Sz5OAX99}+*n7uslM-e{`m6kGq7)OxYvi1mN_HNLX+|M)eIRKJI{8%+OF48u7|v`evV4dJ5+*IhlCOe9wH6kad!*j<d-
fK_gQ+-5>KGSPT25qI3L^xfPOpRcxNjZJ~W>KQE219mGUkh5tSRRoDH(X&bZ6Dl=XDQ$BwG-cqcSe#5Q*&?%rVS-1DfUxCyAlKy?Tl{~-OSYFVsVb$^GWuqc
$2I>?2ClUtnRxZCcVfBBT>CY4^uGv?^}P
        """,
        """
c-rk<ZExGU75*!RzbpgVLZaln47&r`wRg9e=U#00Vjr47P%JqXB1@ViHw%jV_mR{aDU;%%EZJ`6en@SS;&Wa|K8Ms{@_ib`Pt!k5%u9p(GmWcvSF<;hY3gV3
HeLD|uKPaqg6t80uwHOY<^~@A{PpWJce6()46=Os2Diy_H{X)xQ~Y(hO|m@o-HpQ(zmR4h+<duqjH=rtbf2Bb-T0&ht-J8t-2ch=Bk3h{v)tJxq{M54G>q9h
1J`nok>-h;x|>pB{0ONt2<kLRgE$THXIyeazs3((!OTf~tYVbA52S6h4a2tPFKmI6ZlfrO9;yngTADj~K&7Z<vkC(?dVhHT+h2ci{`vc2@p<vLX<g-Puml`3
>50K;X`83+@)6fK+ca#Rd5Y6VKV_bpKAF?HoZx>YC3i&L!t|!f^yWaOHxF)lo62^wmPabfqk$}sj$nCo(u3Zj_Hma>Kgnw$NW+yIW<GA#;T22a6{<PJE!Gj-
!h2;ee^5Q44q5vlR;b%4wrW1uotC$Yg%)CYdmPJ`ZDqD^@xZU279aJDUzNga&XtSo?S|nV(_rI9&jYPbq^q_^jIrm!tVIr|ur~Q&{3Ih}Qdbi4n@R5fH~;B&
YZ(5`<j?ninfzgLJDuF#PHwlzK-c&`@7nV4Pv0;mq?uvdMxD;GTFVwelkzxG77IYWXv#2-mpkX3)uy6j%sW&#_-8i=Gl_#~-FOZ*`PGr4y$%PP?S=K{_n+sV
J|57&jBk<3w`c_4B5tMaaxMC?T#H(3^f5hasXS|q;#u&lwGQiA$B*3m(09lWT%M;}e;}8)mg|q7|MmXE5xo9O;CX%|S*(l73s<o@Hs7({D;{dO&lPTs53+2Y
3@y&<s7E6dosSz1ar16|kYMOa>hzf*JAy;f$hT@?%0pm7V>_s=Tt~cIT6eF2nUpZYN6fqR7(t^%R0uXkh9q4?T{iO4&>j~bzbrl-W1G5&?_=*-vIJjrI>+Ev
UfwaMVA9_ge_wq0_u|l`_Qmrg=EOA@iY1Y?C~n?q)Prp7j!j^NNmnbGNmr{e8H$bhG1O^n=2~H4MczYr+c<VuSQE~dG+Dc{(6Fc+&+)AT<^t|@?Br+1KdNE<
i<JIFqxcu>Ui726_o!h7b?t9)BAK_iX1qzuha(v3025X>uBkT+L<Bb>&9K;mL_5cN)$wxohI}lVSD6V|qp#nmt02X$qA3gQkx)C*UFN|zR<YTP-xtOO?MB-T
HgDt=!Wd;qBVJXqje`Gdsj-`q)OS56O_uDIm+tli?=XZ!KnzNS!D<lJ^@_ZTLG*h<yXql;dZ<%96QrJ56FwECl(nT>Ih!0hZ#q;SWOA?LEbqA!2AbQ1m>cb9
?(@sP(|q}NJ_I`-g7rNFlPsZ)YU~oqbz{*5)y*<Yj&77UC;5Z$N0arTqDXT;iae+FoLpK@|1oL4+|jtr^AqPGb(1yCC#6G?rka+FPe(3n)%25M2XJ2OUfqd5
z_sUt`okX7GcKuYUNmT#ote>f2ZBJ5Q+@Z~yj9q-;V<PXM^7DcvGU&uIO2RT@LCTBg6JDA^&KhERGA;eO$9bP55y?vl)6Ku)LHxtuUsXX&gYDsSDCR>%;=R*
wgG;c#%X&lR~L=wTrLO2LUz%p=%JAdck`L=1qNrT;7kad357!{I0S)1P&i8kXF=dBD4eZ=vmtOc6poybDFEwZFa;*<N{L!7T0+cWvcKhGR@f>bs|;q5kOO5f
S3>sMf7BY)g2FUHDvi((8pYAl7m10WVp=LOts%tB*J&UY6fjroyh)Lyt-ML;cx*aR!Of*}W<KhSnZxEwvDfGn4~-=rU{taDt{n+4x*?ipRVYQ)kqDyBI+CK4
&nh8k7LE{Nh%6krcm=LfyeeZvDB(aEBXS{YbfBC_DJL3HPQbWjP5@g%4zgR9N?77j@gDs0e7qIocEz1V(|_zl!;<(?3&PZb=%oeHf<S#BEG-DD4}`4+VfTTk
V@DuJ6Cgri*kDl&!i9H02rkr9Lh$jH76j6QKz$%AEeOp~#Ya3!j8<#|1ewd-y<ea_*B=>7P@~kA4Mc$5^FfIcp%sS!L713CiNMAn(C(XfMBP0TLqNOd;t4eZ
9{}iqAUzOGXERK$L=dvC=+vu=f~)qw3J%GXJPZai^}+gUhV;QuZ!k+A%<2th>x0?7!D`ahffFz{1dyd~Ae@-P0bm@F!@wkL4hBQ|V5m2kr4QC;MDjEbLz8hm
0B)`rAT&cjLE}IeEpG`49RS3$It)uj?EpB2-(grnl7|2_Ob-MS(LDr+<9r~Ng!tibs0Uo1;lacKFsybkP`(~20Gqd3U7^6vyRR<(*XiE`_TN{21neL6?B4?R
Z}sfo-t8a2<~j&9mn(JP2^@&Q(s#EOJFE>u;5fSzVVA0P5D*vv^+d412>PRmr{qou0TaV8=3-Ct*>-XshJ!#{(I#J5?>zN(0tgrvhQaV{CqSEKfxR~*+ueJM
TY<fE%-RjGOQ>2H2#%reXNE&N0a)r>#@i^bQ?tpVMOsCfhDke%s(OcJy=2R^?`=bx_d>6p)YSx{zK~Mpa<}fXu$s`+4e52BJ+9mAOy4?NM3h}B&4Cy2BG-{9
``PTep)`z24R0ybx@(eWcJ5KBosX2xH-*kO#m+ZR)%kl_sT=|-OBq5-8DdKrB1`QhCAp_~91)vKiS=4mfu_}wAX(6oILeAWK~-3IaAOKxTCH)#W4QPkuXF`O
B45W^cS!K)dwg=!hl0+Rag_UX_D|Q_G^NSPyewC?cXfGxGkbe&T;II4SLpKXjdf+eMVI$@Kwet@>{=>qoe)S~SJL^rV+Jh0TmuBqAi_Uw7AwQnE**mRRG17h
Y9%QOJDA%@@~7&-C3)nbl!881&Fg&ar~b~&JhROY&NlS9mAeVTXYQJmU<X*0ZerqHQj-LU9|lpKc;rZbb8qKD2p(_$PXyO;O!KSgM7t?H*SK{C`+a?hX4zbX
8^l)!rP;<Ld;;=*DhN1uGyxgbCG9Z}<hYZ1+e*{GpMuDvf9hdo6nD)w@i%f6B6P_JG09zxqC8KZ9U5Ga!PJ1^elTT5{xWADdS|@6{15HjG4c
        """,
    ),
    "luigi 3.8.1, Python 3.11": (
        """
c-p;~U2Ggj9l*WzefT3TNm@wSLVGQxxP?S_XFE>RwAhIgH$8XlI<^WD(Pi&;&i`HS-7fnP$4G8mLEE!5Rjg)Gp^A@)7s5lOzVMWnRy=`(Qa(xn2@w#yG%tBT
0$v*aGwc0I?rgWV8Y$<Q*}Iwf{r>-%-JO-x<(vCD#J^=WK-06PRW304Im6TDwS!I-i0T={W;8XcI1B6&d*Wrrzu2j%3?#bCag_xErlAtsVHf#@#R6NS*+tV{
;7!m;d#7x?O4QTDjeg%n8Y(-(24wsXy|4%N5ZFs-S6#92I=1X}yb4XJ#PYjMPnwH-V%@S?G1Vnr6ir1OEQ6D9J%`ck^a*+Vlstj6b+tNS6JsBK`2CJtM+eP%
ma4c!jWwlh;@V40rWu>m&2t1x_xQ6e+g_ugHRiEp7w;!lPm%MMfq%O#TQhCVU1AfXDPJG$v58}Pc9l4SFr{iJtR&%F6bt9_jT`>=JesK~b<J2}v<q!BnyH)I
F|t{jMGUQh#l4ndEA{d@&Cx2Fp}Csqlx9S8&_4n(Dit^_Iqx#M|Cc|{9j!c*`)cmd+_!W8Sh<?J^^+g0<T`qpNBb?WVrbQJ)B)t707V$YYoMtrX++oPZlzi!
mg|)3#Br2)9DJ4T628ioiQO#mxc1HPhH1ZkiIuvZyZx)To_hY@(rfHxgsCZ-;h_>n`>Lj4kgBVh4XmYA@*R)xOqfB=nr1t0dHuU(5jAezR;mkVyzJTB_C0=p
gV|uqy_RjxW9LrUB51tf`ppl92^)O3j9;>FT;JapqU#tPrDB9bcJmnX2G*oK6~(QBsI1a%Q7L1(%U%WcLCQ~H$YQzMPxvC{>l*Yy|N5ofL0(V$$$c7T37jS{
N8sLN(J}|qFzaD|pTEf90h*nelVzT_@Wn7c;Y)t;78W0p;b9qa_`^q{#z$rNaw!Xs;c9uj)ad}ODO?Z?o`kQ#*Rk<nJjO7Ts2#%VhgabUJe7<ZJOg7G7C0`$
xC|#?5KfkgFoEVe>zHR<OQ_L-Q!+f)gwiTZ%5+bd^x-NI6OwTG!v2`8{lZoYQDA@}#6&vg<dQt~qTEVHF47^xBeJj%E<qt<fOen+IdH(qx5_KSNtx3M!d0IT
XLWxJ<NkISeyA_N1p+Gq2Wu-%$dnqNl25b(n%)9XtH4qT(=Hy`<|hhm0<{^S((Y&dt)ReS%oly;>DD<8m*FyjH+|-5cr#>%2Ls%*5$@R*xTSzI<BuMq4p2#9
r4A}p_&zFCS*g?W@qdV!{3AsEF_i|HP{5lUL67auHWXw};%4L|4g9Q~0eBnUP9|^W<k+dn6XRj1t%#i$9}>mC^J3%x*I6VXEyn-E>$tN8X*jF`$D=8<&-8%3
7-zrMmi;|=FToD)1kfuH^hyN1l7OZuvr#2%bMoe=Nb_*)kbGrJ<b!eY>ut$DfDe*U?;byOdhA#{?rV{PcOnH>k_s{|*xHsPTuDf{vLy)v;Y|F(m7stVB7v8+
ySzk`j`>MX)oRH#@z0HSg^%DP0yl$Q;byce{3$T>Ze-})jdq1D9C}A@YwZ^PF=B{^%oyZ<H-`KeJ|=KGfV{m9IRMw!;@jW*5$O9Hfu_X-J`2?Jl&U5`^<5Iq
tPQKa7cYvB<Z=%IZ$yAMHjbpKCh)d@bH=EN=d*kq=HU>g&3#(`3Mb+pM1MTs!e(BM?%Dmv#%7N{TfXz*>{duCjkb6=6O979CyXnfViFwh-+6qL;{192ARqSA
hO`NjG&fW^Qmc@W{BWUG93kXT_3+`5p?qOjt>kONBL#&4(VxUoB4LT>AKFydQ7-JL5cYIT*wb-g`V+hx-;&g^LzW7mrSWZA(ueu<h(4O|5Wm;yrA<A&z&*Sm
Jj}#A%(V5edxty}Ll58DArEs25Ai#nes)t2HSVD%Jj};D%*Q>zHv<XL^R5(o-lZ8J2EM<sz{T_yT?~dU%x$`mf$$A2kT4XNu(+v&WiDY^NO&nG;iZIxV3(Bg
k%WA!U2+rXp%D6&?Ls4Pj}NREMjV-Liu?vgenTK%iXmTW9rw|#CV$6<?5VoaSPJpq+7A9|nExW~-BY#&O7eY2|LMAgyY7QmIsDbO_d$`rcceM5y>cJFWwd(V
@kjqG?)U*{V!QiAJJ4$!^x9pZ-wQya7dq+ec0iju{s!y$2P~a5^P)J*3r`&JVXl`S(bb4e_<P4PqbV>Qm(jEf*v1^%XDE(aR;sRcZvE`AA9-lMXr3o-nI8|b
Fmq|vaTWWHLq%6{7Q~4qJg-l3iwbxAU44X?&-0Jhc|%&y;h!~{(i$~WOs}uhrC;Zl25GN<D8{>DAbGTV{j5qAr*Kv^I+Z))p9D6PI$`ty{F)_J^<Af6jAj-V
6?@)4In45&`H2?nqrJg78CL0IYN1jbsSei;km8VfU?@LSJ)o$C+JWKW{E^{8fv7{30;Acg*>FjNs{_xrmzd`%UPaeA-LLT@%rDXM8;Kt+3pScrG8-xe#nFE&
t-p+L#rp4p8ecd1?}Hjws{a9N7n%M?(GB+`(H_NdG?b51XnOje@ye?H7yLZKQ*}Bq2dwf5$SnqxV*`zb17YCcf3ODsT3a77(LeU7|CN*6=d9-gO15mXiWV^*
`rpJ)sMKJkl*6siE)(Bgl3M-~XxU^|LPi2#%%vH!dVKE{$M*iVc?P#frPTE*24;#UH9ug-byXx27jF3nO0P1{d5s<XKL9dn@&
        """,
        """
c-rk<TW{Mo6#grQUzP!FAyM+W4%>isZMR~cTkL{8G=ZR4bS%V{G)Zn26#4JtMWRTV;zgD(&Af-Kr6_*qe23&mQitj1agyGRzZ<#VIQT!;dH(GA<jH89!y?_}
b6B8fpT|*L+@e2t59mn|#u57S$B*MOEN+8UT$JM{s7_Ia<px(DqrZ+fSyARNTnAk71FrTeEa%I>shiDK;eC*VYlv%*XBSae!XKQkaVx8^D1%LgOQOa|$C*5H
&{N?xTs;f(a9vr9Uct{Cj5^NpIL+ho9+kWxe@$<YgGG=*<YH2WH@I%HS*_ZhKkx-XzDbfexv3u@*YYwbV`2rf&7%Z1e!qJ8=TE-`zyCFxy_@|!W{-k3vOqw_
EpZqvZ_7NK-=ZhMCSNu0+@<*~%(=J5ckY;#WBiY}<O<tMsdshMy8}`09-Mlg*mkna10C~VAm+glm<K1_={>?vIG@9;WJchMi*QvyR80{TPZJg5xk*^OBZNha
%1-ehewqek30KG=bx?fWc<`0X`*fl;Vcy>l^Htq0?pr$W;mz!|9r<;s8RtT|jPG!@+F=;1!{mOT`3X1Gj)=4Gu`p?g!zs*7aFyP52{L|G3G$Os3I8pBxZF4n
d@=g|`p3~%qs#H=@^W;!0S@>U{V)2~i_lN#I3rxmaV`^Ou)Nl^h0!{796O5)z<;r{VLwq;jyta{MaLL-fCl(&7_W+s0F!6?3$QEBjs)#-1lVm)tZ!ewo4$E{
!1!{p1-jURJ;W9WGp#DL;L8dvXwA{bjI5`NthblQ8jo7<u%QiL5?-%hfPbL!GT*>~Lf)FLU%&g~<*Oq^{g*h3VA3&J(}x$KW^?R5<D*AkYK1S9ZjBEzZJvxQ
PT8u*VktV^?{Y{OchiF`hMso@ed2T-!GX?|Z(YOfUIIH7+d*sR6zk=R-JKT9xP<FIa@}Qp1ngx+1<d-$kfIAn$o4!nwEM;D_p>+0*rv|X>omIWn1U~q!EuC{
R}9Q4Q2N*G*V+5OXNMNG_fgbACwg+BnG$(MQFSG$2ie#iTfiu#i$xcui^V<_ieK|1sMFZYwU&jocn=Y6=h(|aCOGf&Y#DYf4e7)E1-^B_OyM5KPJVLyqZ&TG
KpS7Mm-rfo7kp{qJ?gT8g!a!g>lnA_$^HhdxEw)H2N<xn>l(IUz$Szlu7=DWWVLgwPaO|ePw*dU^*S>FdGzt~coF9)R3v4g-4j?K!+9Bh;vJhz#C>5(WjEQZ
5xq%7jd7}y#=N>@lf?gQ2-!_Z4#OzOvpK)zCA&SzHw>u|U_yy8$PKKz5zVU@#J@YR?H(|24=CMpjofpY;1g3STU)+WqbVTcM&a@xgL|14WzU_kA>FPC-C#Gm
&maFz^W)$75bS&i*7p#sV+w6t<EK!e8IMe;VNoD)43n}s$sa^Nnye3<M7q04<T<V9<kEWj_euBRimclrm<2a^m@P>@Dd~zN)wEK4(sRvbO_<Rgz<IKJbSM4>
p*<heANHW03rWp6t<a*K8_}!*$wE+Yef!|NRjAnTS9Vo%25&a&Qdbg<I3El=)`NjK`GiVg&?z)^<_Ep0z-Q+fDatve?ocUpo;bqmP|1e#Ib-KhX6(=ry?}Td
0P{S}+he)DXhg<x)hT9O7ma8Oja{gjx8XWo-3yC<T>MUGyej-HjW&ejaTaHA6(_KM@<Dnf$<TOLXS}<E@oq2UU1Q^c&Umnc@t~LSz}R?CXS}zA@m??EJ!9j2
o$>w-#{0dD_l=Fm=ad@r*<oZq4=_R>ALzlQ-i=C&q)rTz)UWotUUzVQS0?ov@VkhXmaRHNUdGly8S*t-z4o^PwM^U_YHRyXmRg{r77Rgcn#`dEUwx<V1MubP
`0|F}t6b)>6=QuhW3P;{lxZ1dt(0lyoYiDXH-59mZ5$8TxVmONW^SsU)6RK&y7yUo+Mctgr#fTPgA*l7;Gis><YdAhaBUHFq4!jDlRvl;JmubPeAHV<(?VsY
v9wU7byYTKV<2tNA`S*Nk~~YPjYH&Fs{NyR9-M!~m=he0EHzO|)Ih0;YOYwu8b?=c)#)+@w2XlxFm{r28Ta|EMb{ul<w~xq6Y_>Ami=>-esu$@Z{)3WF4fr+
t@_*6iP+X*QV$5%3c~FJ0jwZE9|+G1!s`R!TS54JAlS);Aqc5&1;d{#=t1h*HW0#gTnoW!+d}{=2+#+@vx2bfRpQo1i_uiK0hxA(yYFEJzqzos#WZMDU7O~`
^|BVBscr+pEqk>HRb8v*n-#0Rd0N-1d10xiM_|=^fB-uX%V2X03N1oaS8QJP<x3^Ob^Q;L4`o^%HU@L;!TNg!?7={9FwY*$>ka1HgZaI|m}uL;NtD|Jke6>m
IJt%!fC)lw2G*hG#$do64D<%`?7{l<NKxj^(7LqV0B)-3AS6prBjbiJR?(6Qx&e@=>SkD7(ry69>AM-0ROC&78l^V`lF7XZkf8a7SRKM|4hMR`_30kmI=~F8
y%?xcL?~dB*`itsY~{bG^xvj^*RcJ*_5;KALC^L*!}h(N?fcv98>qPr0@HG>52An@V({{<_F_x5%@735Rw8UmwG9F=MgTn#JYxj=-Xu!05<;THW*Ad>q{WQ;
ZXGrUF$qOme9c-HrB?|cQCu?&PH&X}ZJ9M}y%AY;>n&|HY+X=RHNdu@T44Zl4Es298ma`~rE{Kcl9FA|!mrZQ%IYcxX)LLq2PE^gm@gqdYme&dr|dC?V3$&>
`&_O2th^^AeY5jQ?+#aPw}vmv7?s^H>AVLg(M6#l*$pUHbxU~|mxR<cm0MR$0`1maYJKp5Hu$bI_^v$o?x_ZUCzh%%pkvCBGUdpba%4>HWF`Jx1;;V5`Nafm
E~`QF`bZE@Xjz&RbWczh(g?0yX-Mlij=qM9@6k+0A+qjytaXnR^}gG?Fu$R4K2MVplF>h2Zt|R5SQ2fC+-vZBK3P14z>l8#jz51IM(*P2Wa7M-xGs$R>rQLg
r2zcZl#Jgk8j$_n9smOm67<vOu?oa?6%e$iLSj%5mO4@R&fG@oev5Ukj#q9fE68j0xGtA4hg&1_tTtb`+K~4a^1SQT4zMm=cYe1II)8h=aw0VDZ~rHOYXwG3
vTX0B>_Vf;vm7c`2bI}|67dq!ZZ1ePcy9)Bs*CF*9Vk&FY}-n%g5AYQME<#_i9_$3uhUQXI^-(EJ;cTLHEDU7-v?xIfjd(JhT1`rnZS9;zx2#`c=!)J-kMb
        """,
    ),
}
