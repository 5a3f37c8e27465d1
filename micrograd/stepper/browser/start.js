// The page begins here.
wire();
if (DATA.playground) wirePlayground();
fromAddress();
