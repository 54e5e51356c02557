package weights

// opcode is one instruction of the pickle machine.
type opcode byte

// The instructions that files of torch.save contain, up to protocol 5.
const (
	opMark           opcode = '('
	opStop           opcode = '.'
	opPop            opcode = '0'
	opPopMark        opcode = '1'
	opDup            opcode = '2'
	opBinFloat       opcode = 'G'
	opBinInt         opcode = 'J'
	opBinInt1        opcode = 'K'
	opBinInt2        opcode = 'M'
	opNone           opcode = 'N'
	opBinPersID      opcode = 'Q'
	opReduce         opcode = 'R'
	opBinString      opcode = 'T'
	opShortBinString opcode = 'U'
	opBinUnicode     opcode = 'X'
	opAppend         opcode = 'a'
	opBuild          opcode = 'b'
	opGlobal         opcode = 'c'
	opDict           opcode = 'd'
	opAppends        opcode = 'e'
	opBinGet         opcode = 'h'
	opLongBinGet     opcode = 'j'
	opList           opcode = 'l'
	opBinPut         opcode = 'q'
	opLongBinPut     opcode = 'r'
	opSetItem        opcode = 's'
	opTuple          opcode = 't'
	opSetItems       opcode = 'u'
	opEmptyTuple     opcode = ')'
	opEmptyList      opcode = ']'
	opEmptyDict      opcode = '}'
	opBinBytes       opcode = 'B'
	opShortBinBytes  opcode = 'C'

	// Protocol 0, with arguments as lines of text; only plain pickles have them.
	opFloat   opcode = 'F'
	opInt     opcode = 'I'
	opLong    opcode = 'L'
	opString  opcode = 'S'
	opUnicode opcode = 'V'
	opGet     opcode = 'g'
	opPut     opcode = 'p'

	// Protocol 2.
	opProto    opcode = 0x80
	opNewObj   opcode = 0x81
	opTuple1   opcode = 0x85
	opTuple2   opcode = 0x86
	opTuple3   opcode = 0x87
	opNewTrue  opcode = 0x88
	opNewFalse opcode = 0x89
	opLong1    opcode = 0x8a
	opLong4    opcode = 0x8b

	// Protocols 4 and 5.
	opShortBinUnicode opcode = 0x8c
	opBinUnicode8     opcode = 0x8d
	opBinBytes8       opcode = 0x8e
	opEmptySet        opcode = 0x8f
	opAddItems        opcode = 0x90
	opFrozenSet       opcode = 0x91
	opStackGlobal     opcode = 0x93
	opMemoize         opcode = 0x94
	opFrame           opcode = 0x95
	opByteArray8      opcode = 0x96
)
