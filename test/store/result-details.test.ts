import { expect, test } from 'vitest'
import { resultDetails } from '../../src/store/result-details'
import { result } from './fake-engine'

test('every output metric is there twice, evaluation rows first', () => {
  const [output] = resultDetails(result('rtn', 'W4A4', 0.2))
  expect(output.columns).toEqual(['evaluation', 'calibration'])
  const cellsOf = (name: string) => output.lines.find((line) => line.name === name)?.cells
  expect(cellsOf('relative error')).toEqual(['0.2000', '0.1800'])
  expect(cellsOf('SQNR')).toEqual(['14.0 dB', '14.9 dB'])
  expect(cellsOf('rows')).toEqual(['16', '48'])
  expect(output.lines.map(({ name }) => name)).toEqual(expect.arrayContaining(['gain', 'cosine', 'max absolute error']))
})

test('the extra cost of a method is counted in multiply-adds and bytes', () => {
  const [, , cost] = resultDetails({ ...result('quarot'), onlineOperations: 2048, onlineBytes: 12_000 })
  expect(cost.lines).toEqual([
    { name: 'multiply-adds per token', cells: ['2,048'] },
    { name: 'bytes kept', cells: ['12 kB'] },
  ])
  const [, , none] = resultDetails(result('rtn'))
  expect(none.lines.map(({ cells }) => cells[0])).toEqual(['0', 'none'])
})

test('an operand says what was clipped and zeroed, or that it is as loaded', () => {
  const [, operands] = resultDetails({ ...result('rtn'), weight: null })
  expect(operands.lines).toEqual([
    { name: 'SQNR', cells: ['as loaded', '16.9 dB'] },
    { name: 'clipped', cells: ['as loaded', '0.12 %'] },
    { name: 'zeroed', cells: ['as loaded', '31 %'] },
  ])
})
