import { sweepFigure } from './scale-sweep'

/** Output SQNR over the block size of the MX operands. */
export const blockSizeSweep = sweepFigure({
  id: 'block-size-sweep',
  label: 'Block size sweep',
  question: 'What would smaller blocks gain and larger ones lose?',
  sweepOf: (analysis) => analysis.blockSizeSweep,
  inUse: ({ blockSize }) => blockSize,
  axisTitle: () => 'block size [elements]',
  caption: () => 'Block size',
  xaxis: (values) => ({
    tickmode: 'array',
    tickvals: values.map(Math.log2),
    ticktext: values.map(String),
    range: [Math.log2(values[0] ?? 8) - 0.3, Math.log2(values.at(-1) ?? 128) + 0.15],
  }),
  place: Math.log2,
  valueText: String,
  nothing: 'No operand has an MX format, whose block size could vary',
})
