"""Bad command lines, row by row: one line, exit code 2, what was meant; and no file is written."""

import io
import re
import shlex
import sys

import pytest

from micrograd.cli import main
from tests.bad_inputs import STOCK, write_files

A_NUMBER = "is not a finite number"
COMMAND_LINE = """
                                        | COMMAND is missing
fly                                     | there is no command 'fly'
drwa x                                  | is draw meant?
Draw x                                  | is draw meant?
--verson                                | COMMAND is missing
draw                                    | EXPR|FILE.py:NAME is missing
lower                                   | EXPR|FILE.py:NAME is missing
tag                                     | MODEL is missing
evaluate                                | FILE is missing
draw x y                                | 'y' is one argument too many
step x y z                              | 'y z' is one argument too many
draw 'x*y' x=1,y=2                      | too many (is --at x=1,y=2 meant?)
draw -- '-x*y' --at x=1,y=2             | --at stands behind --, where no option is read
step x x=1                              | (is --at x=1 meant?)
step x y x=1                            | 'y x=1' is one argument too many; see
draw x                                  | x has no value; give the point, such as --at x=1
step 'x*y' --at x=1                     | y has no value; give the point, such as --at y=1
train --dropout 1                       | '1' is not a finite number from 0 to 0.99
train --map GPE                         | 'GPE' is not OLD=NEW, such as GPE=LOC
train --map =LOC                        | '=LOC' is not OLD=NEW
train --map GPE=                        | 'GPE=' is not OLD=NEW
train --seed -1                         | from 0 to 9,223,372,036,854,775,807
train --delta 1e7                       | '1e7' is not a finite number from 0 to 1,000,000
draw x --mod fprop                      | is --mode meant?
draw x --at                             | --at: a value must follow it
draw x --level                          | --level: a value must follow it
draw x --unfold-sums=yes                | it takes no value
draw x --mode fpop                      | is fprop meant?
draw x --level neurons                  | is neuron meant?
draw x --layout dto                     | is dot meant?
draw x --size 4                         | there is no option --size
draw x -z                               | there is no option -z
draw x --at x=1 -z                      | there is no option -z
tag -x model.npz                        | there is no option -x
train --scheme bio                      | is BIO meant?
draw x --mode FPROP                     | is fprop meant?
train --epochs 0                        | '0' is not a whole number from 1 to 1,000,000
train --width 4                         | '4' is not an odd whole number from 1 to 99
train --rate 0                          | '0' is not a finite number above 0; see
tag ' '                                 | the name is empty
draw '' --at 'x*y'                      | 'x*y' is not name=number
draw -z x                               | 'x' is one argument too many
step x --language de                    | there are en, zh
step x --mode fprop                     | there is no option --mode
lower lesson.py:f --export numby        | is numpy meant?
lower lesson.py:f --explan              | is --explain meant?
train --model margins                   | is margin meant?
train --engine fast                     | there are arrays, scalar
train --sampler words                   | is word meant?
train --scheme BILOU                    | there are BIO, BIOES
train --epoch 3                         | is --epochs meant?
train --learning-rate 3                 | there is no option --learning-rate
train a b                               | a: there is no such file
train --average yes no                  | yes: there is no such file
tag model.npz notes.txt                 | one argument too many
evaluate a b c                          | 3 files given
step 'x*y' --at x=1 --at y=2            | --at: it is given twice; give it once, as x=1,y=2
draw x --at x=1 -o a.svg --output b.svg | -o/--output: it is given twice; give it once
draw x --mode fprop --mode bprop        | --mode: it is given twice
train --type LOC --type ORG             | --type: it is given twice; give it once
tag model.npz --input a --input b       | --input: it is given twice
step ''                                 | the expression is empty
"""
EXPRESSIONS = """
draw x^2 --at x=1                       | write x**2
draw 2x --at x=1                        | write 2 * x
draw 2.5x --at x=1                      | write 2.5 * x
draw '2(x + 1)' --at x=1                | write 2 * (x + 1)
draw '(x + 1)(x - 1)' --at x=1          | write (x + 1) * (x - 1)
draw '(x + 1) x' --at x=1               | write (x + 1) * x
draw 'x y' --at x=1,y=2                 | write x * y
draw '2 x' --at x=1                     | write 2 * x
draw 'x(y + 1)' --at x=1,y=2            | write x * (...)
draw 'sin x' --at x=1                   | write sin(x)
draw 'tanh w*x' --at x=1,w=1            | write tanh(w)*x
draw 'ln x' --at x=1                    | write log(x)
draw 'ln(x)' --at x=1                   | is log meant?
draw 'sigma(x)' --at x=1                | is sigmoid meant?
draw 'σ(x)' --at x=1                    | is sigmoid meant?
draw 'σ x' --at x=1                     | write sigmoid(x)
draw 'logistic(x)' --at x=1             | is sigmoid meant?
draw 'ReLU(x)' --at x=1                 | is relu meant?
draw 'LeakyReLU(x)' --at x=1            | is leaky_relu meant?
draw 'hardtanh(x)' --at x=1             | is hard_tanh meant?
draw 'softsign(x)' --at x=1             | is soft_sign meant?
draw 'maximum(x, 1)' --at x=1           | is max meant?
draw 'tahn(x)' --at x=1                 | is tanh meant?
draw 'arctan(x)' --at x=1               | is atan meant?
draw 'exp2(x)' --at x=1                 | write 2 ** x
draw 'cube(x)' --at x=1                 | write x ** 3
draw 'logit(x)' --at x=1                | write log(x / (1 - x))
draw 'swish(x)' --at x=1                | is silu meant?
draw 'sum(x, x)' --at x=1               | write x + y
draw 'mean(x, x)' --at x=1              | write (x + y) / 2
draw 'softmax(x)' --at x=1              | there is no function softmax
draw 'foo(x)' --at x=1                  | there are add, sub
draw 'math.exp(x)' --at x=1             | write exp(x)
draw 'np.tanh(x)' --at x=1              | write tanh(x)
draw 'torch.relu(x)' --at x=1           | write relu(x)
draw 'x.relu()' --at x=1                | write relu(x)
draw 'x.data' --at x=1                  | 'x.data' is not allowed
draw 'x²' --at x=1                      | write x**2
draw 'x × y' --at x=1,y=1               | write x * y
draw 'x · y' --at x=1,y=1               | write x * y
draw 'x ÷ y' --at x=1,y=1               | write x / y
draw 'x − y' --at x=1,y=1               | write x - y
draw '|x|' --at x=1                     | write abs(x)
draw '√x' --at x=1                      | write sqrt(x)
draw '√(x + 1)' --at x=1                | write sqrt(x + 1)
draw '[x + 1] * x' --at x=1             | write (x + 1) * x
draw '{x}' --at x=1                     | write (x)
draw '0,5*x' --at x=1                   | write 0.5*x
draw 'f(x) = x*x' --at x=1              | write x*x
draw 'y == x*2' --at x=1                | write y = x*2
draw 'x*2 =' --at x=1                   | write x*2
draw 'e**x' --at x=1                    | write exp(x) for e to the power of x
draw 'pi*x' --at x=1                    | pi=3.14159
draw X --at x=1                         | is x meant?
draw alpa --at alpha=1                  | is alpha meant?
draw sigmoid --at x=1                   | write sigmoid(...)
draw 'x + y' --at x=1                   | y has no value; give the point, such as --at y=1
draw x --at x=1,q=2                     | q got a value but does not occur
draw '(x + 1' --at x=1                  | a ) is missing
draw 'x + 1)' --at x=1                  | a ( is missing
draw 'x +' --at x=1                     | something is missing after '+'
draw 'x **' --at x=1                    | something is missing after '*'
draw '*x' --at x=1                      | something is missing before '*'
draw 'x =' --at x=1                     | something is missing after '='
draw 'x ; ; x' --at x=1                 | cannot read
draw 'x ? x' --at x=1                   | cannot read
draw '$x' --at x=1                      | cannot read
draw 'x ! 2' --at x=1                   | cannot read
draw '' --at x=1                        | x got a value
draw ' '                                | the expression is empty
draw 'x % 2' --at x=1                   | not allowed
draw 'x // 2' --at x=1                  | not allowed
draw 'x @ x' --at x=1                   | not allowed
draw 'x & x' --at x=1                   | not allowed
draw 'x < 2' --at x=1                   | not allowed
draw 'x if x else 1' --at x=1           | not allowed
draw 'not x' --at x=1                   | not allowed
draw 'x or 1' --at x=1                  | not allowed
draw '1or x' --at x=1                   | not allowed
draw 'x[0]' --at x=1                    | not allowed
draw '[x, x]' --at x=1                  | not allowed
draw 'lambda: x' --at x=1               | not allowed
draw 'import os'                        | not allowed
draw '(x := 2)'                         | not allowed
draw 'max(*x)' --at x=1                 | not allowed
draw 'max(x, key=1)' --at x=1           | not allowed
draw "'text'"                           | not allowed
draw '1j'                               | not allowed
draw True                               | not allowed
draw 1e999                              | 1e999 is too large; numbers go up to 1.8e+308
draw 'x += 1' --at x=1                  | not allowed
draw 'x = 2' --at x=1                   | x is given twice
draw 'a = b = x' --at x=1               | not allowed
draw 'del x' --at x=1                   | not allowed
draw 'max()'                            | max takes 2 operands, not 0
draw 'max(x)' --at x=1                  | max takes 2 operands, not 1
draw 'exp(x, x)' --at x=1               | exp takes 1 operand, not 2
draw 'pow(x, x)' --at x=1               | second argument of pow must be a number
draw 'pow(x, 1, 2)' --at x=1            | pow takes 1 operand and perhaps a number
draw 'weighted_sum(x, x)' --at x=1      | there is no function weighted_sum
draw 'eval(x)' --at x=1                 | there is no function eval
draw '1 / 0'                            | divisor other than 0
draw 'x / 0' --at x=1                   | divisor other than 0
draw 'log(x)' --at x=0                  | needs x > 0
draw 'sqrt(x)' --at x=-1                | needs x >= 0
draw 'exp(x)' --at x=1000               | needs x below 709.8
draw '2 ** x' --at x=5000               | a finite result
draw 'x ** 0.5' --at x=-1               | above 0 for a fractional one
draw 'x ** -1' --at x=0                 | a base other than 0
step x^2 --at x=1                       | write x**2
step '(x' --at x=1                      | a ) is missing
"""
POINTS = """
draw x --at x                           | 'x' is not name=number
draw x --at x=                          | is not name=number
draw x --at =1                          | is not name=number
draw x --at x=one                       | is not name=number
draw x --at x:1                         | is not name=number
draw x --at 'x=1;y=2'                   | is not name=number
draw x --at 'x=1 y=2'                   | is not name=number
draw x --at x==1                        | is not name=number
draw x --at 1=x                         | is not name=number
draw x --at x=1/2                       | is not name=number
draw x --at x=1_0                       | is not name=number
draw x --at x=١                         | is not name=number
draw x --at x=1j                        | is not name=number
draw x --at 5                           | is not name=number
draw x --at -5                          | is not name=number
draw x --at x=nan                       | nan is not finite
draw x --at x=inf                       | inf is not finite
draw x --at x=-inf                      | -inf is not finite
draw x --at x=1e999                     | 1e999 is not finite
step x --at x=NaN                       | NaN is not finite
step x --at x=Infinity                  | Infinity is not finite
draw x --at x=1,x=2                     | x is given twice
draw x --at if=1                        | if cannot be the name of an input
draw x --at max=1                       | max cannot be the name of an input
draw x=1 --at 'x * x'                   | are swapped: write 'x * x' --at x=1
step x=1,y=2 --at 'x * y'               | are swapped
draw lesson.py:loss --at x=1            | is a Value already
"""
PYTHON_FILES = """
draw lesson.py                          | write lesson.py:loss
draw lesson.py:                         | write lesson.py:loss
draw lesson.py::loss                    | write lesson.py:loss
draw 'lesson.py loss'                   | write lesson.py:loss
draw lesson.py:loss.data                | write lesson.py:loss
draw nowhere.py                         | write nowhere.py:NAME
draw lesson.ipynb:loss                  | write FILE.py:NAME
draw notes.txt                          | write FILE.py:NAME
draw nowhere.py:loss                    | nowhere.py: there is no such file
draw nowhere/lesson.py:loss             | there is no folder nowhere
draw folder.py:loss                     | this is a folder
draw lesson.py:lost                     | lesson.py has no 'lost'
draw lesson.py:n                        | has int, not a Value, as 'n'
draw list.py:values                     | has list, not a Value
draw list.py:nothing                    | has None, not a Value, as 'nothing'
draw empty.py:x                         | empty.py has no 'x'
draw syntax.py:x                        | syntax.py:2: SyntaxError
draw raises.py:x                        | raises.py:2: RuntimeError: boom and\\x1b[31m more
draw exits.py:x                         | exits.py:2: SystemExit: enough
draw divides.py:x                       | divides.py:2: ZeroDivisionError
draw imports.py:x                       | imports.py:1: ModuleNotFoundError
draw memory.py:x                        | memory.py:1: MemoryError
draw recursion.py:x                     | recursion.py:2: RecursionError
draw silent.py:x                        | silent.py:5: Mute
draw base.py:x                          | base.py:4: Own: own
draw domain.py:x                        | domain.py:2: DomainError
draw latin.py:x                         | latin.py:1: SyntaxError
step utf16.py:x                         | utf16.py is in UTF-16, which Python does not read; save
step utf16be.py:x                       | utf16be.py is in UTF-16, which Python does not read; save
draw zero.py:x                          | zero.py
step divides.py:x                       | divides.py:2
lower lesson.py                         | write lesson.py:loss
lower lesson.py:f                       | lesson.py has no 'f'; its Values and functions are
lower lesson.py:n                       | has int, not a Value or function, as 'n'
lower nowhere.py:f                      | nowhere.py: there is no such file
lower notes.txt:f                       | write FILE.py:NAME
lower x*y                               | x has no value; give the point, such as --at x=1
lower functions.py:bare                 | no default for x
lower syntax.py:f                       | syntax.py:2: SyntaxError
lower divides.py:f                      | divides.py:2
"""
OUTPUTS = """
draw x --at x=1 -o ''                   | the name is empty
draw x --at x=1 -o out                  | the ending must be one of .svg
draw x --at x=1 -o out.bmp              | the ending must be one of .svg
draw x --at x=1 -o nowhere/out.svg      | there is no folder nowhere
draw x --at x=1 -o folder.svg/x.svg     | there is no folder folder.svg
draw x --at x=1 -o notes.txt/x.svg      | notes.txt/x.svg: a part of this path is a file
draw x --at x=1 -o folder.py/../folder  | the ending must be one of
step x --at x=1 -o out.svg              | end the name in .html
step x --at x=1 -o nowhere/out.html     | there is no folder nowhere
step x --at x=1 -o ''                   | the name is empty
play -o ''                              | the name is empty
play -o page.svg                        | page.svg: the steps are written as a page
draw --at x=1 -o -x.svg -x              | -o/--output: a value must follow it
tag model.npz --input notes.txt --html nowhere/x.html | there is no folder nowhere
tag model.npz --input notes.txt --html folder         | folder: this is a folder
tag model.npz --input notes.txt --html ''             | the name is empty
train train.conll --type LOC --out ''                 | the name is empty
train train.conll --type LOC --out notes.txt --epochs 1 | notes.txt
"""
IDLE = """
draw 'x*y' --at x=1,y=2 --unfold nope           | --unfold has no effect here
draw layers.py:out --level neuron --unfold nope | nothing to unfold under 'nope'
draw 'x*y' --at x=1,y=2 --unfold-sums           | the graph holds no weighted sum
draw x --at x=1 -o o.html --mode both           | --mode has no effect here
draw x --at x=1 -o o.html --level layer         | --level has no effect here
draw x --at x=1 -o o.html --layout dot          | --layout has no effect here
draw x --at x=1 -o o.html --unfold a            | --unfold has no effect here
draw x --at x=1 -o o.dot --layout dot           | --layout has no effect here
step x --at x=1 -o o.html --language zh         | --language has no effect here: the page lets its
step --at x=1                                   | --at has no effect here: the playground begins
step --program                                  | --program has no effect here: the playground
step --language zh                              | --language has no effect here: the playground
lower functions.py:bare --at x=1                | --at goes with an expression
lower functions.py:bare --main                  | --main makes a program of what --export c prints
lower functions.py:bare --main --export jax     | --main makes a program of what --export c prints
lower functions.py:bare --after code --export c | --after and --export print two things
evaluate predictions.conll --tag-column 2       | --tag-column has no effect here: a FILE alone is
evaluate predictions.conll --map PER=LOC        | --map has no effect here: the two columns
evaluate predictions.conll --drop LOC           | --drop has no effect here: the two columns
evaluate predictions.conll --curve c.csv        | --curve has no effect here: a FILE alone has no
evaluate predictions.conll --word-column 7      | no word column 7
tag model.npz --html o.html --conll --input train.conll | --conll: it excludes --html
tag model.npz --word-column 1 --input notes.txt | --word-column has no effect here: plain text has
tag model.npz --tag-column 1 --input notes.txt  | --tag-column has no effect here
train --model softmax --type LOC                | --type has no effect here
train --model multiclass --type LOC             | --type has no effect here
train --model softmax --corrupt 3               | --corrupt has no effect here
train --model multiclass --sampler word         | --sampler has no effect here
train --model softmax --delta 1                 | --delta has no effect here
train --model sequence --loss likelihood --delta 1 | --delta has no effect here: --loss likelihood
train --plain --case-dim 3                       | --case-dim has no effect here
train --features case --affix-dim 3             | --affix-dim has no effect here
train --scheme BIO                              | --scheme has no effect here
train --word-column 1                           | --word-column has no effect here
train --tag-column 1                            | --tag-column has no effect here
train --encoding latin-1                        | --encoding has no effect here
train --repair                                  | --repair has no effect here
train --loss margin                             | --loss has no effect here: --model margin has one
train --model softmax --loss likelihood         | --loss has no effect here: --model softmax has one
train --tags BIO                                | --tags has no effect here: it is for files
train --map A=B                                 | --map has no effect here: it is for files
train --drop A                                  | --drop has no effect here: it is for files
train --dev train.conll                         | --dev or --test without TRAIN
train --test train.conll                        | --dev or --test without TRAIN
"""
FILES = """
tag nowhere.npz                                 | nowhere.npz: there is no such file
tag nowhere/model.npz                           | there is no folder nowhere
tag folder                                      | folder: this is a folder
tag notes.txt --input notes.txt                 | no saved state
tag damaged.npz --input notes.txt               | damaged
tag cut.npz --input notes.txt                   | damaged
tag cut.json --input notes.txt                  | no saved state
tag state.json --input notes.txt                | state.json
tag '' --input notes.txt                        | the name is empty
tag notes.txt --input model.npz                 | model.npz is the model
tag 'my notes.txt' --input model.npz            | micrograd tag model.npz --input 'my notes.txt'
evaluate 'my notes.txt' model.npz               | write micrograd evaluate model.npz 'my notes.txt'
tag model.npz --input nowhere.txt               | nowhere.txt: there is no such file
tag model.npz --input folder                    | folder: this is a folder
tag model.npz --input latin.txt                 | latin.txt:1: byte 0xe9 is not utf-8;
tag model.npz --input late.txt                  | late.txt:3: byte 0xe9 is not utf-8
tag model.npz --input zero.txt                  | zero.txt:1: a zero byte
tag model.npz --input model.npz                 | an archive or a saved model
tag model.npz --input archive.zip               | an archive or a saved model
tag model.npz --input paper.pdf                 | paper.pdf: a PDF, not text
train paper.pdf                                 | paper.pdf: a PDF, not text
evaluate model.npz old.doc                      | old.doc: a .doc or .xls: save it as text
tag model.npz --input new.rtf                   | new.rtf: a document with formats (RTF): save
tag model.npz --input cut.gz                    | cut.gz: packed by gzip: unpack it
tag model.npz --conll --input cut.gz            | cut.gz: packed by gzip: unpack it
train cut.gz                                    | cut.gz: packed by gzip: unpack it
evaluate model.npz cut.gz                       | cut.gz: packed by gzip: unpack it
tag model.npz --input notes.txt --encoding utf8x  | is not the encoding of a text
tag model.npz --input notes.txt --encoding base64 | is not the encoding of a text
tag model.npz --input notes.txt --encoding undefined | is not the encoding of a text
train cut.json                                  | is an archive or a model
train train.conll --drop LOC --map X=Y --dev nothing.conll | they have LOC
train nothing.conll --drop LOC                  | no file has this type; they have none at all
tag model.npz --conll --input ragged.conll      | ragged.conll:2: 1 column where
tag model.npz --conll --input train.conll --word-column 7 | no word column 7
evaluate train.conll model.npz                  | the MODEL comes first
evaluate model.npz                              | name the FILE to score it on
evaluate model.npz nowhere.conll                | nowhere.conll: there is no such file
evaluate model.npz folder                       | this is a folder
evaluate model.npz words.conll                  | words.conll:1: one column
evaluate model.npz tags.conll                   | tags.conll:2: unknown tag 'Q-X'
evaluate model.npz red.conll                    | red.conll:2: unknown tag '\\x1b[31mred'
evaluate model.npz bare.conll                   | --repair
evaluate model.npz illegal.conll                | illegal.conll:3: I-PER may not stand here
evaluate model.npz latin.conll                  | latin.conll:1: byte 0xe9
evaluate model.npz zero.conll                   | a zero byte
evaluate model.npz empty.txt                    | no token in it
evaluate model.npz model.npz                    | an archive or a saved model
evaluate model.npz train.conll --tag-column 5   | no tag column 5
evaluate model.npz train.conll --word-column -9 | no word column -9
evaluate nowhere.npz train.conll                | nowhere.npz: there is no such file
evaluate notes.txt train.conll                  | no saved state
evaluate nowhere.conll                          | nowhere.conll: there is no such file
evaluate words.conll                            | in its last two columns
evaluate badpredictions.conll                   | unknown tag 'X'
evaluate train.conll                            | in its last two columns
train nowhere.conll                             | nowhere.conll: there is no such file
train nowhere/train.conll                       | there is no folder nowhere
train folder                                    | this is a folder
train ''                                        | the name is empty
train model.npz                                 | is an archive or a model
train archive.zip                               | is an archive or a model
train train.conll --dev model.npz               | model.npz is an archive or a model
train train.conll --vectors archive.zip         | archive.zip: the archive is damaged
train train.conll --vectors damaged.gz          | damaged.gz: the archive is damaged
train train.conll --vectors cut.gz --dim 3      | cut.gz: the archive is damaged
train train.conll --vectors two.zip             | unpack it
train train.conll --dev nowhere                 | nowhere: there is no such file
train train.conll --test nowhere                | nowhere: there is no such file
train empty.txt                                 | no token in it
train words.conll                               | one column; the tag column is missing
train ragged.conll                              | ragged.conll:2: no tag: 'saw'; --repair
train tags.conll                                | tags.conll:2: unknown tag
train bare.conll                                | --repair
train illegal.conll                             | --repair (repair=True) reads them
train latin.conll                               | latin.conll:1: byte 0xe9 is not utf-8; name the
train zero.conll                                | a zero byte
train long.conll                                | a line of 200,002 characters
train noword.conll                              | the word column is empty
train nothing.conll                             | hold no entity; there is nothing
train nothing.conll --model softmax             | no entity
train one.conll                                 | too few to hold any out
train train.conll --type CITY                   | no entity of type CITY
train train.conll --word-column 4               | no word column 4
train train.conll --tag-column 4                | no tag column 4
train train.conll --encoding utf-17             | is not the encoding of a text
train train.conll --vectors nowhere             | nowhere: there is no such file
train train.conll --vectors vectors.txt         | vectors of width 3, but the model's is 10
train train.conll --vectors badvectors.txt --dim 3  | badvectors.txt:2
train train.conll --vectors shortvectors.txt    | shortvectors.txt:2
train train.conll --vectors wordvectors.txt     | no word vectors
train train.conll --vectors empty.txt           | no word vectors
train train.conll --vectors binary.bin          | the file is cut short
train train.conll --activation gelu             | unknown activation 'gelu'
train train.conll --optimizer lion              | unknown optimizer 'lion'
train train.conll --schedule daily              | unknown schedule 'daily'
"""
THEIRS = re.compile(r"\w+\.py:\d+: \w+: .*")  # what a file of the user's raised, with its line
WHOLE = {  # option: the values below and above those that it takes
    "width": ("0", "-1", "4", "101"),
    "dim": ("0", "-5", "1000000000000"),
    "case-dim": ("-1", "0", "10001"),
    "hidden": ("0", "-1", "1000000"),
    "corrupt": ("0", "-2", "10001"),
    "min-count": ("0", "-1"),
    "epochs": ("0", "-1"),
    "patience": ("0",),
    "batch": ("0", "-64"),
    "seed": ("-1", "9" * 20),
    "word-column": ("-1000", "1000"),
    "tag-column": ("1000",),
}
NO_WHOLE = ("nan", "-inf", "1e12", "2.5", "ten", "", "1_0", "0x10", "١")
NUMBERS = {"delta": ("-1", "-0.001", "1e7"), "rate": ("0", "-0.1", "0.0")}
NO_NUMBERS = ("nan", "inf", "-inf", "-nan", "1e999", "one", "", "1,5", "1_0", "١")


def table(text):
    """Return the rows (command, what the message has to hold) of a table."""
    rows = [line.rsplit(" | ", 1) for line in text.strip("\n").splitlines()]
    return [(command.strip(), part.strip()) for command, part in rows]


def numeric():
    """Return a row for every number that an option of `train` does not take."""
    for option, outside in WHOLE.items():
        for value in (*outside, *NO_WHOLE):
            yield f"train --{option} '{value}'", f"--{option}: '{value}' is not a"
    for option, outside in NUMBERS.items():
        for value in (*outside, *NO_NUMBERS):
            yield f"train --{option} '{value}'", f"--{option}: '{value}' is not a finite number"
    for command in ("tag model.npz --conll", "evaluate model.npz train.conll"):
        for value in NO_WHOLE:
            yield f"{command} --word-column '{value}'", "--word-column"


TABLES = (COMMAND_LINE, EXPRESSIONS, POINTS, PYTHON_FILES, OUTPUTS, IDLE, FILES)
ROWS = [row for text in TABLES for row in table(text)] + list(numeric())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with the files that the rows name."""
    folder = tmp_path_factory.mktemp("bad")
    write_files(folder)
    return folder


@pytest.mark.parametrize(("command", "part"), ROWS, ids=[command for command, _ in ROWS])
def test_bad_command(folder, monkeypatch, capfd, command, part):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b" ")))
    before = sorted(folder.rglob("*"))
    assert main(shlex.split(command)) == 2
    message = [x for x in capfd.readouterr().err.splitlines() if not x.startswith("epoch ")]
    assert len(message) == 1 and message[0].startswith("micrograd")
    assert part.replace(r"\\", "\\") in message[0]
    ours = THEIRS.sub("", message[0])
    assert not STOCK.search(ours) and message[0].isprintable()
    kept = [path for path in folder.rglob("*") if "__pycache__" not in path.parts]
    assert sorted(kept) == before or "micrograd-ner" in {path.name for path in kept}


@pytest.mark.parametrize("form", ["", "--conll", "--jsonl"])
def test_nothing_to_tag_is_no_fault(folder, monkeypatch, capfd, form):
    monkeypatch.chdir(folder)
    assert main(["tag", "model.npz", "--input", "empty.txt", *form.split()]) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("form", ["", "--conll", "--json"])
def test_closed_input_is_told(folder, monkeypatch, capfd, form):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["tag", "model.npz", *form.split()]) == 2
    assert "standard input is closed; name a file" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("draw x --at x=1 --size 4", "there is no option --size; see micrograd draw --help"),
        ("draw x --mode fprop --mode bprop", "--mode: it is given twice; give it once; see"),
        ("draw x --at x=1 --at x=1", "--at: it is given twice; give it once, as x=1,y=2; see"),
        ("draw x y=1 x=1", "'y=1 x=1' is one argument too many (is --at y=1 meant?); see"),
        ("tag model.npz y=1", "'y=1' is one argument too many; see micrograd tag --help"),
    ],
)
def test_a_message_is_in_these_words(capsys, command, message):
    assert main(shlex.split(command)) == 2
    assert capsys.readouterr().err.startswith(f"micrograd {command.split()[0]}: {message}")


def test_there_are_four_hundred():
    assert len(dict(ROWS)) >= 400
