// The page begins here.
wire();
if (DATA.training) beginTraining();
if (DATA.playground) wirePlayground();
fromAddress();
