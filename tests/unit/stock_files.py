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
c-p0#*^cAJ6^3)orx@g>edBiROArLGV^7?Op)uTcd}BbMBsN<awWLUt$MeW}i=3snQybD36jdq~Yx(M&zfM(u@x^K{v*(8&cAw_zA=|5Lx!mnP&kseJ!DYGI
9;?G?S?vzlUT0q{H>Y*EempK;i`8jU9I~JD<Hu}ovgLffIITC;dOM$IyT!kYWtHu1HmiQxyA0mp;T`#MS?sIh{H-`1^RhU?>q7P<M0R|Bc*)<^o6nFExiWAk
>4&!+z6if!HTUa%u~~2FyTYIM`5}Ls|Gqx17wgTsT2rY~<13}X3{6$**Fvj~duSHtw3O3f&h-itd{$DyhoU-QePqaH@O6<_%h!CtHHmetKkW`5ivt#<L{?7q
&xgaRI25br0=h%VtmH0H3SX-<wCFA0<Ku=BEF^rA_#HZJvsYLdm*sd1)yPXo;0s(smLH)C#TKirVumTlMP2jxez#dKu>tx_&3?jcKT<BpB>N*+o%WjolA)eY
I(v%sU-o37<rOqRYwG^PdUse?^d6JFSC6(C6zmmE-K!lmYn4~ncN#$e&>&Y;{83>_$o}=;cYj^{?cKw>Kfn9!B!peUhY~8h`|TGYgnV&Ay!#XWB67$dvtvCV
a~d-vXo!wgUY#1cFkMnQjQ8$zSkibK>UcwShx{Ll*WG5tBWMN?A92VGGyr<vI35USxA9r?E_^CLd%pcJ`ws6T{&d=7Q?XuFWbY-^o&MybqQ0rtZ&)`gJHLs?
=BN4LwB4?^C1z1neP*nit|`4b<jaqcGCv(Qm})5Xb-h{@+j%nrmPWu5;8;XL*m^)%GUso*-zkYf-ye1*^w@E}FQCu16?dhL{Nrf>ytJh|fu%d(x*69J#<NUg
v?}(LOJyZ@Bw7RN`{Iv1R@!l;+c~;gAF+n>)Jx9N?=Sg!b2`ufIyX)8`;-N8_<EMPK(&LZ0Z)Nh+ibuptzqhCtKvT=z}t&dDNkMTX}w*M<?)I+$5*cp$7-G`
P*=<22rOu_eM1<c<@APXR+{?tp1R&cg_D&l(YDb8m>oDO!KRgH$4a(XKHx1s7V#FE;!W0NxWhr9&JPkZ;@FjBm+)&cMrCVo0&yQSU`&=K7y=s54z{r|!J&<T
1irx4p^YigxWFy6w@k*Q)HvkljYGi3fkAk}R<IEWp##aWggN{CU>5OZQFvkHi}FR`mLYf}q+Kn<i}f<cMq&vxkxQ7nCAAi2YT{`hMKduY{e;u;o3DTV`}gyo
ewodlX8%B!f<4@ujFu*2*_(vsk&@IzHcc;q8^pEbDHSy)q-j*r<SA*ElsqY->9w~v2O^eA?3YA%nW!#Xb|ZPs=!xC30W~5a4W8u)M1jqX0}!R48cC?>B#Kg~
F^f{@21Y4NqA}udgjAfpg*+)7=k_&wQiK{lDPlvP1b+|sVN$xn2c*>m;{6>6N-0MSN@yPsil`wh2Y_*_I)q878^k0^3S_Lj5vhBClG0u#N=nzOeGe%q{Z*!<
3|vkeP$iW(hZX8VNoq?DsbUc$LB$YNGEtSpn=%tjQR@>^3RS@ymyM13%z_M646}x>Y+zGZG<b)PB=1D_Bq>`<pO~f(D8a`8l$t(`s_T=YatuKTaFlpY6l&KJ
37w5ZYP5*>L!Q3i2Z*pEW~3i#L?QJaM0H4r`W8_g(;&;9Gc8HvAgJ`cWFaGwVCoJ<c{<o)PHI#GuTiyuY)zvydI++9^dpeP*f!SLIw*tssH**6zWR!!NpYa^
X%2AH%rxN8A6dh=ansH3!)|VX-7xHC1iKZNZK$Dj!3cNDJ#O_GBWkCBw;kY7gfZCmCZ8>#tLVAVuxn#uIh|-Z1p$VfLQ=Zohiok;+~0$xQ)9~svW>^ZJoIRs
H7GhWFr3b|hSRy4y&u1ueVf>Geq=<4;3e#41lnw1FkQG}FkS3by3ddo*BSC`Jph&gLtdX_XtrDIR-f5sjwGREO(=(=@PW~pHQcZ|OqoN?jW^jXHV?ETJ{Ls8
4ap`z0fz;oAi@G4>3R<uK{Fb>(yQSJH1uO6!qAt7b{!>2BN7t7%>Ft1@av2g+hK@AGCh;lXc`Oh=!Aus#v;<l_h2CLcm;;YjRN5}fFYW5FyN}>$Si>78?e9<
Pol=_vOv$!6Jf%jkN{&a6g@&<#3aS)K8mp1B=dX$6D1^<(zr%Nl8-S_AYL%wAjpH@brKUbiHV|lixxyQkSO7<IJSlxC48S7g^H1!85JIDaNd9Y^uu@GV)#Rf
Avbcujn!#q$WbI2FOZ`e{dmbcDXAGI_SENiQj$9z2D8Hxe0RedQ>#he^&lIzEBUZulO&sxVSt>HWEm8~(DPyV3_d}MYk-_mszpxegd7%rgDp~tEM*(WSTm9G
QW)T>m6u8(E{<`fAQwlu$crhCZ{2FDl!{{p>Dk*D)Pt3#LJ8S0h|w=v2uwIJJ+Ts~)6S8n&1F}nP@`TZ5AwL$e9SeDCTdiwY`ALNlx8wePxg$PGIH9um00`$
uhex$Pg^u)CM1$Ftwd6$mPlCmz@o9oxx||BTu7sr6h`D~gJx-Yi67~D4@_2$VY0O`&{tuydH@p)ehU+cL=GfAJ%9a8GHE0idtj*vlcuhKW&IVCX2WzV`X<dr
M(FvWdOfU{1%;>uTendKC-8FYYn<xaI;V$C$-CbNUu#q7%z0DD{n7Qlw5#EU-d8!tH9F&cm7DOs%5}W2ue~o8K4kR@sjMrNZ(XnNxL(h$*OTk@<~~yWgzNQg
GC(^;svo*u-*vq{x!!WZ;i?gum$(e#3YTFzs65~@sG7^&mZ>C#de+PZ?(Hz}xxw}7O>GSq9ImPn`<}z?<Zi>r-3B(Qao}$GA=<T>^0%NfpC9rE8o}p><pVA5
pC1+vb<l%*FgC6@+~$fSw>`G5ICfld?7HH}t~in_j_itK#}&u>TyY$`Vl4!>l06!=lWh>Sv=b&C5URz%F>BFr%vxM<%<^$U5ni&MS|C}S>Rj;9TG(!b2B2!;
uKHjtJQoxOK3J3Dom^miSgi;?EyVynEy>1cl&oF&;0emF$K+`WZ!%t*qLGM~rm21vFD)HE*Ti`>Nkq138lD8A@FQLC;73z<a=;Hs)d@UEt#<Li_+*2JGM9AQ
glxNrhq9NAn5M{B9|Uzhbfs0`r-z{{t*?Zx2n9V1U1`l-qtAq{w4TsqTDQ7P>sps--Ns~ft<f%rv9#vaU|=(WVMHCq(io;pVJvMZGJ#3yiXW=6I(UB%HAauZ
SlXD5jGo*8;8t}3GHo178+YFZK%>rX+XK+XUtR}j6M7Bkvt{CSwk(%}@y$M4R$XQ*-)v|{Uk~ZBJgCruX}UP>IiSn70WNLp0GB46oaiFSdEM-!e!)HHL>Kl+
qRZ))E=Q^glhPGGOiLH4$~)+CW1Xd4t+U?pEggwKBQr%AWex+*Tx>ZbaY=S+9H5^9&E5-|msddZyt*k<8~UJmeH}E<qv7okH1E!V_VaGfCd?0)mfEus@v#pX
JV8fD!~|lzGtSK=ok)mze-l<Am0=pJ(ndLsRA~2zbf7&VOiEY$@GVy1t}P)Q!bE^ohj?q;LdSYXh>kQ=`JPVQfY5wTVbeZxQMJg$3(D#4Agqp80vbAA4`^uA
rxd29r4a51a!qe=p^<rsLl<hqSr_`@uz$_Bv|cn~=tGU*lS5+QL-`?kWWtFW(K=BhYA0%hyoEu-deDd_o?%2A&oI1QjvwiI2WCc&;~Az2ZeCp_8rhF$P>Hp&
A}2I3SboA_T@1yV(PnshRO0D@K1xQq8<vXZh7EGV8{}rRL2lGFY9t*l8&Si1<VKyPW@?+<bhgQjYN%1SQKOg|)l#E6)M%zg6E*ryYV-s(THR`zj2=^?FX(am
I6=)tX!IS>=vy|LjlKaI*0)BFpfTs6d3j-C%!ruOSHl=8JVE)VaOp%)O%p*i<~Ce7XlmM^sWGvM3K%QesDQDw&1@)wN>}`7x0&(&9-6Eg(`5C{G}*y^v$3{a
=owoJ^@%vD9xd}OL1nK<a%00SB-!iQ+@u2CP@5ZfMVn)|-?*VNH;xC?ol)k-O(=8YT4iort<16TTA3RcZ&~*l&$)f0%#Cl9x$&(sHyrQ8q;$oPR+;1dJzO;r
(01Ktnh2;q6IL?Az^Cz{bLKZ*lH(K0K0l$xlNf(~cr7-2Ivry;3fiSDT+!tws9sC@kcI2I+;9lggrP1s;fyY)-1x>F+n^NZ938>^l@2OnhS<C;a-}1l-Cu8C
c63UbJ3P`s;7xw4=4DaM@t8CH%145${P>a1SEEjB8yNW@bMaCf3J&-hP=m9&pnO@af9KRT9549v^Rdbgd@kDnE`x!gvt@Yln9psC=5+La+5L9~i+ko9_^6i?
*cr$sjwDaMw((Zbgt7vm;znBz5+09hsLi&b5?wokIKGQrFyyA+4VE{^qvtYl=je5J<l=CGf8K3Z1enFx9p)VLM%nLzq~)pE9M|V&l1k)e^4Uw}#;ugxGCU?(
w^HJ&2@2Eg32Gcqs*tVMU|7}Kx(`~c22F;?9NHjS1z21Wcsi1&@Rk-{7JtG;B3v~s8K5CKRj=DsxFgP8RJ{U0RH69)^pGOHtwO%HIiKuTijOMp$uy7t|Aewo
&wTupA4<ZC?W3jt|5)y}Rl#h~5y{unf&LN2D*DfZ`oCD{KOd~ZvDaEI#6qmTEEdvz33hk+Wyodx(yc&E6jJ#@zEI|vrJ0qUMvF?PERT7;l|{phUUW3he3H_l
-mAx%1s%=U{&3;*JUX}s0#}OrqPC$i(Ke0A?0V13$$r<4D}ZK=`umtn2=w#*uv<bW@r0$l@4A0Ajy%ZjC(||=+sa1H)?rD!#R2_*kkG$YC~lTvb%HDWEPoI7
EUO@q4(QiD)z)2*4l?F22{01|QL4xP0scZopa
        """,
        """
c-rk<U2oes7X2%RUp5Q09f@+9cCfQRyY1{0<8=qSGuVeF5EP4!g~*atlA8^R{P!iPFOnw3D_OGLtmmPVP!!MQJtWU1b=iKKM)AY+$BF&gqW{^}n^)G0$uz}T
yiJ!lBagmK{UEz1KR8e1N#+GU`T5J2Y3^nBZWv_w^aZJt<zBv})u-gw={Cvo6nh(&D}JKY-h26S?OIi{N$5Sgk+;FL277kldpZ8e`ZH}M^s?ODCbYzFY_zP)
SLl*F7T%-v6EF2PrOD(S`plxR(<BYzG{_%G$y@eod`Ehixd|qHjB@Xe){VAdD0lsdFL2Xs6a~>;^?>v(&D}g;R@BDLm;;-Bzkm1p-+pob`Nv}MY4P`I{m9)A
0|a2&5C<XmHc!3fJ$dAA)3ABzAx`gc%Dpyyu%~r7HQ);^xuNzJzPC-jw}<k*eFWb#<4)K4$mD!9l=IOMoPXNBcbI>?<q{`(Z3V5k^1=+0YAv)l23nx3I7eXR
N~C2kLb~v=#v$oYJ0~;Ke3%&=Zvh=Y8^`fwUA5~kB_;Un<Kja%&sU`|j|=50Z+l_5#~j#r(c@676KzXo#2R}lT*~Tj5^EC<;|HB6(`Th9znJ9szxhwsTg$?4
Cx5y9>*P<9>*?hBdUCx*7J5Ve=f81$@+Y>e39V*X*HJ59j>H#5(@Ht*EHQxo($R)-cy66}j?DBirXDH?{@Dw{OhYhxHXgxtvGxmS&x2rFR<)nseVTv#a6o=J
Zjp&wGy=CskiIr*(f36yl2r4U%sM7!ol%$t&syiO)VetGZbR(SKS+6=Zt*~rOUw0#Pyc%N{s^r968JujG>did@WL}}kZoZzP`o73=P7r`2U#{xMi%FF)T4+-
%aJ8BFdsJ>5~kh!AhFPumh(&PF&xr{zEurd9|K#j;3075&b7qLrFW%qGhOF-^5YLbuws6%XpEg{2{)3|5?qfLG)i!VVB=*-{Y8wvkyi<MjC}aK_;`#>>mt65
{YTAee9=mdB`m@sF{j|tKNi0(KL2}hXnp(a`x<wWCl`k0k@qO6-s;qY?D3ARWra&uE1gSMt1;Dz5B~|&Y3%Ey2(da<8iH->*b!naIG@vG?dhV#;^BD2i)YOR
+Vj}cU!KT>F4#pzcF`#8UV-UF-y6MGM-3|&xxdGWX5Nw~<4syI93fB#n6X{sntJm<P4E(0jhH=1v~#QvA5S+g=#NG9DpP^<=*ze1Do6=cEQLWH2{n=4G7rA;
9lLxjsBT=SZnWJH??!%Mi&d61)>S3jDEQBo`MN1dvFE#Kvg9|vY~!c+o}tnK>P}`0=>*kWzsRx}qIVByw{r;4In>%Y8`L?wR(objX{yw<aw@rO(zNt=keR)X
v%Ke)80Kvo;%&5_x6hvePxdq5`8e!+95%plm}Wh-M6oCrBcU0Gt*%~{5t;O&ycu;vXi1X_ViHSxKe0Tg`kY#-PyZ2VKi#nS&Buv*mwL&X<(aa9$Wl;C@n_=}
w0z>E*a)0gy=VOq06_Ek?EbK4_Z%ga&x;C@+qubIH=qa)g|6?OrAvh^X8@&L<>=wfu0ygLg<71?3ZCm(K@fc<rP$SKPL&r@TxQ^N_dx1$PPjW%!kr_|@QNzc
bUx?vJj;BZVn(kp-4Nh3jZ=9pS9g)vTrLO2LU$LbXrZx-H1kPp1qNrE;A{w-4TVD{I0S)1P&mf~=Rn{bDBR2hH-o^<pm6ly%m7%Qju|jnQ%2Ns(Nba#lN+u#
v%)qRS>-pYj2tMxxiYfXUZn0(Z78fq$kZb=M33TViB)DIsF{w*OlJr)^K}}i4F$~AI;&D;sgzZz9gj^TCb+qF&df)hF>}~_DfSwz=Ap671B@zu-?d}mMLR_E
t_h_`L{dT2iAY+M@?9eYOUzM143U_lH?P1onpY)}C@mZ)i9~N?jSjRE8SO+P+6fr9++m<(<RH6st%W5nGw%+U2jx<X+ZJ~gRsXRQ4Qt}dP7rn{h+e%wogh#j
2&WT-(+6VK31Zd<qK+MbAWeV>h2eumGl&r00U?A?&j=yLTb&?KCkWIB!s!Ijaa4&Bj}b$PZGa$iJ>B~S%Jc3cg9~bmz2yTDVDn;7VnmSQ5FiK_lNb^B7zEmU
6OWji=VAzG^FlmfMi2vlZXl=|NJp|cB{w1{)mL@u)h5AJ{ofRaWJVnZgW27|`u7ZV2SdHVobF&wZ?IW+uvu@gTC}^sDU=%m$jdhnPOaepFhR&+U>Y?CgQ4zV
s5h9?9jwoY6lETUrqg-=+}togShj#c#(^-M*is5Q07z7I7?w`j0dSnY!?2Vh4*_bF9tfn8dkB!A`9Lg<@WbIy54b+VgNp-TSaL8>ejX|So3C1Jp}@|!uQvVf
(!LFBzpwoW*gopnz5{IE>Dm5lw|#(`cR{GN+}H<Ez=0UNe7E;vN3~%Hf@ZfO>`HYP1O!GvJrNu*Lif=mN^&cNLWyA*b2Zaq=AB-L;UEwyWbuWyE=q4JfI@L$
7@Xd=0?0B8Y`qcL_SPkB1-33IYdgTMpmxGQaE$Iea~j$Tz)R;c-bQ(yq)lHf(kjX{Ox9RbJ$G5wOSW8Ne;cyA7j`41eoP_idn#pCw{*pY?+HuYP^O_P6sb=5
(4`>TZ8wJYxY4t-76_KesjANSRy4Y0u;ivmp4quwWhNgP$+wl{+iLP{HTlQqYcDUA1JUFuOX(>~?I}y;slBYEcNdRiVslfmUdt-bv^o-`3tAFKS+OUm3JV4|
wvy6njVoRw#gAmAD<Bg6IwsvFA*1j9!AtK7IbX(6j@cSCU2oHrB`b@zIF5a5-CF)jd~3gcIlHo!FW-3f+n2BX*$iPDU158rv$jqMq@OF<{M~T_v0vW<1n5CT
{+#hx8S!>W2-#B+G02#gv?%;wmXY*t)q_j(%3Wy%d##$+`5LEqXJ($&<~vs#_TI|d1mUA_V@k0DtV%aAWtTolf&_;_R3{#}+P~Sibs+?gxBn-BlZa{lqB_-X
sv9+4oxy%vU!qwycj5-&>Yy^)xI|1q-meP^4Ia%vPIYO0q60Z;q~5l&H1LNY^4UKIacLFz&NlH^dKDt{=m@dtU5%nVPaj<tT+qSPfRT2HWJY+I^Dn)!o}T^(
yV*Ua
        """,
    ),
    "luigi 2.8.13, Python 3.9": (
        """
c-qC8TWl298Gt?Bn=e3sgcg!ET~gG#v=FZ^U?&wAFko0ZHiihI2CZjj&ibG6cxRXkjvt~LiGtl6$(C{|wP__tUYb;SNFSO!M2aHyrB$UUdCF5IXdWW<iHAsS
)E4@mGds6<eIYdp61(TN=luWoU*^p3x$G~sT`l6@ORS6L&Rce+#ONcYuTSdxT@{Gto5W!>dtPy;*emP@R~cW}s%s1+y2<sFDFT+M5yxeVd}5}=mS|zda;EqY
w9<}I2WN?Pj(G9!Go-GuORP)A|Ih*3U>kw$gl47{8|QIkyX#kJRwH(>ZSIUUQ|V#BHwxG$TUAS&t?<M0D1_&`j26a@%fqMSlPImHPZM_X$S0p%Ybmz0(1LGk
ibu4>P|hKqGs|R}cgVDLg<xw-Aa%v@>vg?8i6fi%K8b#oyl9*F-DW$w<>=llJ2{jM@X>aMxR&pz#1$H5H64MKC6q<6QI^BEgLOX5*OY19oMkkFv>DA$TbwcK
Wa~CD^*T1U+lr%1SFY%;Ue!(A)5WGVFNVYYQ6Wa964#cz=rOwUPj41~Ts>6$e(|Z|3&p?By-~b-^H+1lmJa6A&9+}Pb+r<20Nqf69_Yn6&^3+J<2kxjQB`7l
Ze^Odt}=;-FVIbbSH-q)n^|tx&T&347W7|X<;>~(e|h!UpL{OeU{_I@nxdONBH>HhPK2Gv0rE3?U9)Bwu7^XkQ?*Q!sGe@s(T+KdT=ofHJB}!7y5oA4#&#89
SQ&j|ljkVv6q=>tJKQ8&0xt+f#*s&D$C|`L-HJ`nEOjp!ej@VfaBT$_*?4jQ`5W;(noy~l;i0sRI|3hI^R&IHcq)j_0&NqW3dRIV2H%8ipd=Kq-L}X*d<i;X
b7ORC?DrSo0)dMJ9u+=+5q%zZEHZeUW`{@R;|#tP`73-oXpUj?Ng2K)Ls5p^GCU>2cOxH!J-81B7X}G~z3@Z$5%%{BV^gVz33EeVVEl=ocK}xmEWjW<n>HXE
f}w`I$ApdG1X=?|xPqr-I4wh2hBNqMS%%Sh7+Zj|d}?Px_nks_%m{dLa{y*Q!2%m|2!YE21RuE!CfI&NqcHxQEc3u_0_1KC1b?_Y9^_=o1%c#y<yLnEE{z}v
sgx2_<{yv>-2$FxKlAj{!ZR^x!fEJ*a=C|dqOH>yshL^yF*nJKZi~`JlxKv*5_g7O37orDawT{fUKZqHUeC#8dGvzZj8}0T4%C8_<PZ`^voUV65V{F%8wpZQ
i6s>LO`xFJ+*RN;c#Xj8L9CeYdK4@0M5yINtmQ-#Ez6;L`QY@(6}qUTuyPBPsytsyDl518fqT4x4)G?2%I~Sv%Y>8gAy?qQad!hlhZcB}bkj)wxDpb058g}L
Jb&WIsWZoiBa_=P4BmWFH1F_c3<cdYrjirqKR|p0s<*DKdL)GcBT;*G2Wi0QNy7N+iZDKgk5e$<{gA?3OkpmjFqfi0vsPUtY;6=1|9=9FM2S$$trJCW62+Yr
QG5oUrTwC9_|&;0N0Xkh6f=1{W^yadB=3QvuZzlCDJpM$6)IhkU_s+n*g*M62x_Sbs91{xu-s^^mJXwTt)5x#!94=^!_0C&&Mf~3k$n&&`(U-qlEI@NID$4L
c^oCCxEaS<8(Sn4bv4C}$8d%CAjS^<84wWd281rSvy@D+AH^U(S`9=_$n&+J$c<`R8pNJeKp1;DgT0~l%O5JYV~uaGZhB2i>H9FAn}ws|qS>9)ZZOhrg<Ga^
n5%eLn0Y8NbBAchH_pvRkDNa?Qu)$NOKOSKm&Tghw8Ws`&>mTyi<l;Xx6f|8_HZEG#t1)l!;C%;XKAsoI#{ccgWdh5TF*g34yXeI2m889{aUrV)_<_1Ft}z6
OFVys1XKPoz9zwooZv-4@c9J6=aU4DV|<$iwyhh4trTIK*l29VSuXE2<AoHM<P+D>*92p6FqQygC&1V%f+=ngn4SpC%)<iXrobehzsB5}V6Jm8*9Djx2{1R3
V89EhbjMT@H&>bmV%q#gVs|{Z9yq-boW+fXBf~YGB||EGNh-fylgdp_<))x=D?#N}ib|MzrJ<P0P_xv#28F(e!tXYm0upEs2q>nRWbpQy4Bp`k-VqGmO)z-3
xo3>6H(pv+g^`_B>a!7#_cxTsLKHH>GulQS8<h0Bo$==emSvCM4>^qwSA6_R6U!rm_kO;EKbV@m+Xbh8EjN!)^HdJ~+e(^$$~FIVndUzYHIHB5MDr_aKJoC&
K7LTOX{GrKqJkQg`S9-D!3(1`;t>9h^%A35uw0MPoCi3@T-s?Wu2)f1PruTr*lyv~)Xidel6Vzflx2~#(}L?M&X-ELp5ji4I<fH#hiY)-<HkAOewDX##vk~X
Zd}E$C7RXiHA{%sS<V<=@Tp$f5!4y^RtzMcwl#`>ny7u+YFrDw6x3hq$~0m0aa?ALM6j%^$Y_3QMsX&CdToL4%u9r@lXirKN9@u)1EpHO+N<>KQ@d4VU!T%n
+E+a=K=xG!`v%m(fu8QZlFDd7wdx+Jb9CT4&MfnN#jhH_;7WduACbd}k$+0Opf7Zz`B|&3p;27p-%{hniX%4u6ZUvy8UGD?9I0^+dyC9yX%&ALKu!{ES6o*|
_$b1>Z)9+0!N}t0CGNXsN(St50punJ%87%9qJz5N3*!-Phu?y})HpSD1a4~-utgtp8!myIZO2j(B$~u%7eAp=ot3jL2SYO!zKW&E>~3w4Swk?vBSk>SG9Rhy
^NcP2UJ@kROPExZa^^bPW|aFi|H}r(S`Rt-v%5iI?K<<_8*Kmo05X8`L;
        """,
        """
c-rk<TW{Mq7XB-SUp5Q09f`8rbg;8PJMGLA<8_O<U>=%4U?e#fB1>9HZZ;_L--o1bq)duOvShni_aU`Oir=}A{0^zZ<m)ty?x){R%$ElJXBw9;jAxT+;-%3x
alDjNeVw{~dPhE3kEABWzDquT{yfcadS?fInoXaPHfe^lEp0v}U#HtR%@Pl9Y_9l`HhYURXKfp0w{d_U>=17}+Je<xxH$8EF#bt<32>U(+nAQPwTy-_e}U$t
T6m7Ok8y%Gg~;R?T4zw$X`J{`;%5(}<Td*m-4YE`JNAf<VTNyM+i)8MP1PUy0z27;p&#Cs6-2irvooJbQ3*F=2CVgd`{s`yf3bi2bGiJm{CQec*&8B&08BgL
Ae!1{33l#CmAy@Z`l0(Mx$_e4vFW`zt;(qYpJ~Z8l{dG&sk6N~l<mzU*q#Y@y2eL3<D;RBkB(sc)3&|E?1LT0i?d1!+Hi$~)FaJW++u0m0`-b@1h2dj-LjWM
y7*)51w^5CpUiagVWu&>0W|z<9K#oF<))uEnBdd<<-2Z{FH2z-7s_SU#zC;h9N6ISVW`!K_SN)=G4@oLH`(DN)+R5A?p35r>k3kSHp#sIWj|bP4a0jq`Pa?A
C;ymSO($1ZldCN<&?WiLy|i5N(=&_-ZDtr(VXMEahQBD9lFF&FL;(7wqYUHtxpn4QO-~<V>Y?1hKVd&e6%J-~<2l&O*M0%*X*k$yvf58?J}ln9JD`6#-y)rF
(Fndp0`;}I7JXZ;MGe+Gre`gkXRT2@3!b&sVO?u`A-)MboBkl>S+ey8a(QF9e)r+`H*b&N^<R9~^+LsBomXC9%?8;NHUs%X4fkQ`?)V_f=E>0FqKbMX(P%NU
njTn;8x0B5ZgG%U=#|pvbLBA{Qii@|3sW5f8!zA?aA)OO;^o4+jd3$wXIcFHci*vMey^yFooNX-lH?RzjTbaZaD`ywWk~)-%zY!T63sF4?&I?PF*dEs=q7R>
6sz$?t8)xt5f&YD3MTz?`RnrIU&}-D+eg<`n3L38XqHFbqNI7NQ4g}mJ2sc)CS9#mCS9$@WGg=WCs3!cuWLkz<*CvT-ZqXMAy$O*F^Sh$6(#1C<2hbDYtGT0
#-4tDA`?3IF4B4zjpE%`VE3YL&AqRV8dfmp{t?BBc}r@>o3vs$LZA*XW4p#R)#ibUfMeQ>h&@QObF3F1kJr!W$Gmx&sX#RP{B^qW6XGhC!q6NEl_Rl}`CoX&
<}U@-jdIovw;N*J(9LBrijrEovSb_j|J^cM*CmOET|0>#e)G#Vev<bYG9IAjWU>$?DCfF)mc<a--J@OQ5I{N9s+<W@&aBv;iBgE#P_39sHk&jp8V@qF*HN1F
+!DjAZ9=S#_Otf+HQ>p<20R~!osYu?I1W>+r-n!t#bP9MW3km0rzxRH9A@>X8-h#fR1h6mn){LEIo0RXQhoZ5Nb~WU#c!?`+qVgh*DTMJ4MdiLT97{*x1i<I
i}Q`ZdDVN;F985<KA+tm_UxW>Non)ELBs6a<gPl9golFayJzW*!j?0DLat);RACq||FwiI&SwQr^{l`TzmQVTR&q|67m{CQ;B)st>~c=HJ5<7*CC>2DRkG=P
&gXfO`8@fIUU_sw;3Y|vH0N@87m3Z~Vo)qqcaicQYPm=^AH-f@aHbB<gut0lIHZF^5I6*dvvhD41kQrO&2(@x2;2+`M-R?4fYs@k29tHAMJ*OBDdsS_;c78U
Y@Lv0ezQ!-f%2P6A$#pbDvc^ZVHzQwMra6)qR{bVVj`%RmQGA-2r;vD;>!gE%+)HZQYL95t5P{0>rQlV3+0?yj5=c$u=$ejHCn|(V~GbCRs6ndN5YGCi27L_
N}h-$gQyablqkisS_qbyBZU|uF-I+4j;j@~Od^p=I8YLaTF43=C@0d&iAIzYFmAcSz=n{6?ADbM7Pw5jTdz1MZ^XE5acAE2KReN|BEIYdVRnM(r3LB)f%-sL
ogl0}5VKAYvpx`2><9#@14JkcA1vxYgzydsA%uEb2r=I31c5q1pgs^*Cy0)tN{o247>(El2(nPSd%r+=(S2laL5)^hJ`e$RF9s!Aghm_!1mR*5Edn2dK)bKw
5q<Yu3<2$4h$r+2VgS$$1a$-H=xmP3wFpx7m7RLEQE=J*ljM+0%fnzWvpZOS%}{qR)Ems|4rcWRn{@}9^#-d*y9=Czxgmf&eFNd-91Z{zh#Ur{U~@1S>JEl_
gIV3d`iw}C=3!_mt_Q#^Gy{ZX3utH@2-C@1QbGp+iL4I8Qc*hqj^lS2mXzcnKsD0?fn;<K0TMVLh@~KYI2`H$*JpTeaR3af84MJ!hjPIBtyWtou=DP#jsLs!
Zvy-8D?bAEk9ziR0sFUl_CMS0AHe2a5GpR$>L3z05QC@hb}e>T8-^fob}PazRd+!^U<A|?!2%<6A59`9w?asm7>2Qsds@uAQ}Zw!1mcP&`NDb^skaqC!niOD
j&EB5nluaSy(ZcA-W%Ks>|J2ic7R<%?Sz5g7~TEMacC<5Pn}M*4YMjqn?9PSRTOEMth2DJw^`Op>a0C?8?d|=b|a;#rV!OVl_IOVam9t#gr#mMFZt|o31?^e
R@ox5>{4Yiyo48pj%10@X4}1`VN|MlOQY6xojkL1yGrkTq;<Y2b-pQgzIm$7-^)tH5YSo5kXp)+Tgs4GYA-42-NoaGSl?8v*0K^bDUSr{f)+<%n(qn9!rX%!
Q|i)kjmsY+#Sdhq%OPU*I@Y*NLPp=+Jx*?OI(MQl^Vsa4uD40Tl9feSF3r{4vGDA<V>tNv4A0HyH!m-}=Qposm(J@;WXw!QC2f@uNMBd7`MYBVBEMP#1kfNP
KW98vN~~QtgzTvZ8KlfgN)&!DH<8p&Rf9|M$Za77d#s$-+1g9Iotb%Nn{S+L*mEnq@q-89#*}0SSe9-g>RnnB`>_}JVU>7fD}S?Z>p}<~Z~spO*Kkbzi|S;%
scx>pRR;S_b&1BQ@5Bw_tAo;PZ4xm7c|R2-96XwU9P85dga<OxNwsZdY2f#M=(0ZsF*oviXPf8?y$TUvIzmi(S0gXak_Vdw7j!VyV5A>HnW5)o{6jB{$H%_`
@zFix
        """,
    ),
    "luigi 3.8.1, Python 3.11": (
        """
c-p;~U2Ggz6~}k%{qRQ|@<AbKq1}|KH7!ZJYbWba8sfx`o31mq?6j2#(Pnn{?w%R%?hNyhc-5wHB}i@Qk{IRERz=WOyfiNryzrEVsyrbiWbx4mkWfH^m-ZnK
JOD4@+&ep8^{(wYQ6pu1@15Cu&;NJMJ#*(Q#(ymBiHU!g*dR@u(Tzfe(J#~-wW=PlN<hj^jhKwa&nVVByUxD;D&r4!sbvNd-DcU!JORB{CZ@%%@f#O2Y=x#S
>gGHjf-c%OZQ@;0o+Ebf`)<-GvvX`v#{bX<J7Fh*U4(Ym6$9_%$S%t%(s-E|?zD+1{bC`@XpgKH^>UNjD2DiANi@QCEJjl^6Y}^ec@nL))jDC5W4CU7KbDTg
Xv#6licQL)p@d0nv&m$dG)Y~*K(MvlwYp$BjfUE&;>b2WPpBU!3q}q9_86wBo2uPplgHvNKH6&%OLxo?v4p~SSw&!Z32jjfwB_5k-RB&dtSEK0)?~CBX)~Iv
>zpxaGgO1r)CM+p8H%aY3l~&NEvhxuR>h<=DTclIQ4ph2hN~qDHlurfeIxy?;?eXI=||JwP5)!@z4V>8-&{<``j|rp45wIAONC$p7=jFBVHod$S}v1DaF6a#
N+n|0R-sNTOR3`G%XFLIRWNj%rpf)<Kg$PZ-2Qcz?|$y?Z{B+P^uMLo*sCa}qNp_okucg{(rYzRvQ@o-y+oOO&mlY#W>IHFH7&c)dbS|E#;Kc1X&#9e9Fx=D
?mF1B21j-qre4L#t%5<2c*AywAMyj%d$xcN8Mv;??@Pgb^o~-j`Ahb2AM*jWM0<;hT>{Zrrahulz;KtHB77O*ZU93H+dbEK@UB2V475gf1R*^OvjpY{>=xlX
hv5tlTx0McjgL>u6AZrMha!B{ZO&lxVHqBgAuYo`86K74YkqjaV>l1)8w`2|Pr_614eTEfexy>C2~Wa^>({ex?=U_wx(r9)>8NkuD2yR|I3dHh3==Y(lwlH|
Jtf0)OORiNDK2$SNa~(WQlSb}A<<WtdS1@U(=W>H1g1A3Fox=6PaGGtB^k@UjJ+Wlds{LvNo84Ew=KB7dkJ19@DhPbLK`2s1Pk!86R4bhUY2>LX`}K^pb~$$
FBs%<^C_Y8@qCxn!JDmJ>G?7f^5xR{5a@QWZR48<4~p%BNgF0$7*6K191HELW2WeC;zqE-o~AqfwB_eHVW7klaL==DYRIq<#uXRiLVJSnI=oKc4L9%?;0-_U
;UN#!`2g1WHX)JsVj=0S?h_iMlEU&aDiwKNl}aq%<+#*-ikyCiasM`zhM8c;hb(~&$E~gJ1DZOC$;pZmc&`%ycpu)6?uX>bu~SnM<9?tRfp*?}STz66n*js#
S^yy-*8dDq;wtTGqtstkffIoVoi~rCJsZ}3v!nJ8;lqe__@yU$F%Z2Nh+d3{rg6PdB5Y&jXSa~+{Iz}Mi<?qD99F*CQTa#kQPk@_<EQ4vj)(oe5+L|RfZ&}d
f}{<mx+w_nMj*VqDF}nUC2r##uYm>;kITv$E`iY@K8fi{CAug6xqepo7(OQOiI){V39`bUJwhJ@gg#g=D|F-1pLsiMW#b<wHF3fWiTv;SBJaXoqQxYRQ|J`!
mefI5T?r?_)j;m*dU6xOjL$=GV!B+8$khhW{7#Cs-FQ=6qMP0qcsmeydwqYF%Mp3^{?<p|iBsE9SWMa%)8WXbJ<b*J3(=nNo!BSZ!SQY2_}G~f&lWy)0FYw7
T4|=u0YD52*}cABxrtHXc$6E$*E82Yq#fkTZq=nrFh$cN#Uqs>$qgOKRI)ij4wptpb0b5UL*?R7<xno8Fu1Bcg{uU>BHqt!2<#aS>=^;<Xb9NRFfi>&K23|#
j{8I@<5QZrM@rgZZr)XGEW#oD#?z)Y<S@%Q%nA;3Ar5mLIi&9shpf-xJNJph3lR?C_n)S0$f3$PR0RhJaey!fSo9za1rS2VK$-+nGx+IsUvO_TEQWm+#yzr-
;VMsP9)yuFgoO<uyuu;8A|PB2LAV@&;AKhaSODQzyDYhZ=n-G^m3tM9f_q)TO05=_{KE|;U+0pq3&|`bnYH)(%w~f>wyySgU1>CZ`9HZA`OAL%3%~bFn+7P+
uO98^EedPigEzSN8y(++()qPv&U-(2fWI=@ef7Aje;#jqPiQ3F{i>7Dn_TG4H9}wTga)5BqPb<EXYYG4!*M_2yJ+%7QQ`CJka(o)<Au8lF$w?r!0+TZ=$6fB
!Uh~;7VWPomR(RvwtAseQQXd}eFI{+O6&qJ8Ztj}Y09z{^HZfpTe0Rv9TO7TK2EX7FIPEeM?1~iqx{n31E*JLTy0czVP1c}TU+I$!?e#WmGP+<NDl33Rj|sU
HfNNATHQIfKG;y|gwY4_F+=R?HMKEDlk*o9v+C9pQ+#G#=YqYo&#Rtcmp+!uR4OBt%Ax%vr)2k!REov@qnTW0e`%<a%jJ$_vxh4qjHXI@!zK-m4jj{LGRIMz
qBhTk{T45Ne2J0YNxa}Jw9#Z!Z<Ns~miBw8^-01JYk%;1eBWq)^m-hr_9yIJW7;h-4d*1$Ud6IhgpVdHIoe<F&a(Dbyq@Esx)8AeyW9Y|&4O}hp=16+gYYl-
5&RFFmDZAx`EgF|Z(PY2tyVlBWW&@;ND=*^-4;KgQiJ8=7N<hHb^L~jV)>7UWdo}OjEH<;%aX6v;kj27^WC(04%4HO@4kYLndU*w%kH?ZvSjk|9k=v$g*n!1
?7;s4Z7^&@
        """,
        """
c-rk<ZExGQ7XB-SzAOXUPNL+x9kv1O+HS>Mx43u1{m=x0V#%=(Thb)CSy1G^U%p5bNmC*z%P-Bm4_Ql5e9n0e$%mv4)2~*N-dR76oaZ+B&#_-Tv!9HtJSx&n
K936c=&KdR#V!1U`v9L5K^($AfBtNhL2>J^;-a*kz&b@4lp9ptf`7F(SyARuu=bha2UP8KP|laWT{oMpf_py+))A_KpIwAO8U1X3k6Kv;Md@!cR1!8e+V=Pv
7{kZhd#HXE<iWZ!8NP#_*$CFk@;J@o@*bAF#D7h1pofK@MbO8j3~o@}WV2d{u0OB^e!fYPIJv1GK;QDxFJo*4HO|8XHh#Z;_2;j@`~UfCHhVw&&7zO|H8g+&
Mh!6#qPJxp%x~c%f0M78m+sR1Hp-dTtUJe|<;Z}~sN@RSOSpGb+&e>Y?;L@9Y~1OR4^-rXp~weEApf+vcQHS~d>&;bwE|UK1gj!~)jGoBD#D^0754~HnebuR
DIg~CSVk-8P<Ko`)p+m}#M_$0d;1~2sw<~{EGWUJx3f29%-5xQjC18Owu9AbhcU1YlKY`%C)Ac05qsZ5VJxb{Nz6^rD!pqHW%R5P<tL*u`ltN)a%0=k%h6BQ
zl^>cU0S2d%hBZq*x&{HU--fe;m^pnN2r=@UnZULa)o#yv{orc&O!swUkq*7Pn<hPo-0QB7()+`0KW_3RnZb){A_;#cF5e%p*@ZOJEE$+d-Z<$_RRs~%fuF_
Vhi>VTfj+QS7^bv6<Q#u<}oAdsv_&|C9>M1);(-!{U`~pSCNl?!16NRL<5Cfn6BTv|L?2UM~M3GaTrEP%VbR+UIdB_vcqi#$V)=_0_pDfAk*f_$l{c)dL*mS
s%ME2nC^Eq#0|UYLDoW()|ii5kKsV;(zmYRw6B5fXZlNEW9K^7%N4sqzp<8Onf>^~54f1!D=OE{sD$ZBatWsW1?**U1@!vMkopU7`1U+Yh<)VE$JyIsY+7gO
bsFBc%*Gd;!LhkXm=DY;Q2N*GkJ-on%?_<^AH%SPPWa?PF+H-3!s?x*9%PSqY%L>{E*5Q+E*AS#D|Y!0p-y98C#(?bQ>7uIZ6AAuNCoF(o-Kp6RU&z~zrgcn
%>?an?CHlRGN4Ixfik*aFVUT7hZlTn;hh|HS%HK5XPUK)Tli#ugO*>8K&S(ZSkrY4-8>)@f(%uIW)HI3Io5}dhpQ*(kED8?sQ^9t{MA~-ISds}VGw%)4P-Dc
<1egZ<L8{}rbKm<%^I?sgv1uRDru~%OEyXT_Xcy_l;lwm`gt~IH@|q}C;6Ts(*Z;$wgozYG&dw!7DIS<2ezF98qR@E=Nv8P9IE!%l*&}WwQ4B&c+hlsJjlpi
rbXFvORUGXqr*1XjqUSiz?1z9cs>q0ABPQa9M&?Q+Pqj)lM&a9i)YuMD4<LRN!j$eA+)4P1yPBmvzu6+Q+-Y?)u(@tbRMqo`Ynty|0WNzCC)R&9TBIXR^pHQ
t=9AzWn?38p7kE}M*xj5pU>_Odv?!+q~@Gd5NKxxH*G+&Jmg&8K1&x0JI(+qyQ<#9noXBvR}!^2pA|gTvw}GJ0!t&mRdedR5OSG;&E3;dmvh41p%U&~euUSd
k`3o`KF_1f=OH6{5upu1l;>$Kj^+9;5+2J{r<k?fMItRUcEM)e1?zZq&+P+H@q4cEs_;V^ZZOGK7H82aPNMqBC+VdnP2(Mv@y-s$JH3o|w2cQU<G~KbgI>l1
ZR1^)@$L@ByS<EewT<^w#(O&$@AWd?(>5L*Un<O}XO#UsKnQ(&Ajg?%H!3ZXIx$Sjf4ATDx`Xk%GO6Ey-$k^PY}NVmGPVZFpRd{Kwb$jSrQ+UDTibuK)B+W?
U<hi{WF8st)pz<n0AH?(FLwyO%4HrKG1gZz_R1JdsFqPCBvg0KSxp{w<2P;G#PNWRt83b0=DO-RZJoELd!MzZ;+#D_)ft<drgX9d4$9I=PA2RD*A`J1YEOAL
*@G+2Q|8^qN40e%Q&eUe%@pmlu1XMX3?vO2#6iPGoO&s>afsB*ZvRN`2jd?$<^)G0%~q5WHBh!<H&--^jiIZy>U0?cO2)tu7(2<ijQJ8L&^5?Wc_&xZ33)>l
%?Ub6zq*O4kLAKSSJ&ASsrq5-L~QFYsRx8(1mX0707ej?4}@z3;r4;>j3B%|5cK3i69m^cf?-b<)F5?j69{fQu7seq%^`ph1n2|d8bKKLDt_yu#AvFUfK1!N
-S;qq-CP*kq8qfTu1WL!dRd9kR5t-(mc2@Zs;*J<&5BjsJgIBcJh#+SBhczSK!6#DVX&D6g%Y8v%Qr9k^3^55b^TA04`oUn)&_IT!TNg!%)vl!FxMQ+?G5Ic
gL%EdsA!wONt9a$kd<#uIJt&vfN?^u2iBtI+F-yO4D<$b&B6NgNM7dk(Au<K18%D5AUI=CA>*1bM$wWAx&{!h>Uvmh(yjr==(`@4ROEGl8l~3+lF7Xe5U2T?
SS`Y@4+na{_30kWIzSIgTntnxA_TC>Z0TAGY~{an>Ay+)j%NFP?FX9egP!fXn(ezi+xNEH*HCj41ghmqA9w-R#9-yS+lwvL)<fVlyAxqss!b4pHUj90;A$h7
_a<JFJ0T=WtcNj`N1D&RZ`Wac5S>tn;;Yv>FTI@r62;ZSVDz>VK$Ka{)*F%SZe7q;&DJ?(?FQHuR3i+ak6|8XMngLRSm~Uno1~-{wa}|1wX(X3fg4Ne=RVGS
E#}JzowbMctyKCLLD0LZ)y*#9nk(xGPTy?3=)1#3+^ykDGe%`MOj<9*Npz8GNOl>@>AJf-j7wbVT9;c_O#<!K4QqAqfin1xH297@_|B;Ye<zlzE}&w{mNI3_
nX+X}?PMkT{RPJ{vH5KUbS|qw^ZG~-O=ww~6l70O7m^6B9cf7GIgY#ri|^q~M<BBHc}%!b3VYw}U69`pIiIIV8R5}yEjM|NFD&u4Oq|8STP(&;qe%dsdW-Ap
r!Sm|^K@=6CX>la0G=<rHf!mn0QA)qkKZjCp#AM001Xck_|s#t3dnX95V)s;Vo+d~T2a`}EF!hPMLSo^D>s!D__camm&+)RwnpYzZN71}!S5~PdDp@Yur6J<
ez*5qf4hI@M5x{0{!IcW1cpzt6n9f*q3O!A94b}^mDz?8{u0t|E=V+ZZw4}|i|RuiC}AUX+lsG(-Ni|W|3Rp+P41qr(=X^c<SIZt#6kBpNqL#y`*?AII#UA%
+kujqMDvn;>6!iT@PF}tr49
        """,
    ),
}
