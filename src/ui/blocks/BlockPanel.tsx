import { useEffect, useMemo, useRef } from 'react'
import { compareRules, inspectBlock } from '../../experiment/inspect-block'
import { barLimit } from '../../figures/block-bars'
import { clippingNote, elementTable, ruleTable, sideLabel } from '../../figures/block-table'
import { ROW_NOUN } from '../../figures/scale-map'
import { parseFormat } from '../../formats/format-text'
import { makeQuantizer } from '../../formats/quantizer'
import { comparedFormats, shownBlock, shownValues } from '../../store/blocks-view'
import { triedChoices, triedFactor } from '../../store/formats-view'
import { NumberTable } from '../formats/NumberTable'
import { TriedPreScale } from '../formats/TriedPreScale'
import { PanelState } from '../PanelState'
import { useActions, useApp } from '../use-app'
import { BlockElements } from './BlockElements'
import { BlockSide } from './BlockSide'
import styles from './blocks.module.css'

/** The chosen block under two formats: a column beside the map, below it on narrow screens, over it on phones. */
export function BlockPanel() {
  const shown = useApp(shownBlock)
  const operand = useApp((state) => state.blocks.operand)
  const sheet = useApp((state) => state.blocks.sheet)
  const { setSheet } = useActions()
  const heading = useSheetFocus(sheet)
  return (
    <section
      className={styles.panel}
      data-sheet={sheet}
      data-test="blocks-panel"
      aria-labelledby="block-heading"
      onKeyDown={({ key }) => key === 'Escape' && setSheet(false)}
    >
      <div className={styles.head}>
        <h2 id="block-heading" ref={heading} tabIndex={-1}>
          {shown
            ? `Block ${shown.block} · ${ROW_NOUN[operand]} ${shown.row} · channels ${shown.columns.start}–${shown.columns.end - 1}`
            : 'Block'}
        </h2>
        <button type="button" className={styles.close} onClick={() => setSheet(false)}>
          Back to the map
        </button>
      </div>
      {shown ? <Comparison /> : <PanelState kind="working" title="Reading the row" />}
    </section>
  )
}

/**
 * The heading of the block, which takes the focus when a phone shows the block over the map, and gives it back when it
 * closes. Beside the map it leaves the focus where it is: arrow keys go on moving.
 */
function useSheetFocus(sheet: boolean) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const element = heading.current
    const panel = element?.closest('section')
    if (!sheet || !element || !panel || getComputedStyle(panel).position !== 'fixed') return
    const before = document.activeElement
    element.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [sheet])
  return heading
}

function Comparison() {
  const values = useApp(shownValues)
  const columns = useApp((state) => shownBlock(state)?.columns ?? null)
  const texts = useApp(comparedFormats)
  const choices = useApp((state) => triedChoices(state.setup, state.blocks.preScale))
  const sides = useMemo(() => {
    if (!values || !columns) return null
    return texts.map((text) => {
      const quantizer = makeQuantizer(parseFormat(text), choices)
      return {
        text,
        quantizer,
        inspection: inspectBlock(values, columns, quantizer),
        rules: compareRules(values, columns, quantizer),
      }
    })
  }, [values, columns, texts, choices])
  const elements = useMemo(() => sides && elementTable(sides), [sides])
  if (!sides || !elements) return null
  const remark = clippingNote(sides.map(({ quantizer }) => quantizer))
  const limit = barLimit(sides.map(({ inspection }) => inspection))
  return (
    <>
      <BlockNotes values={sides[0].inspection.elements.map(({ value }) => value)} blockSize={choices.blockSize} />
      <PreScale />
      <div className={styles.sides}>
        {sides.map(({ text, quantizer, inspection }, side) => (
          <BlockSide
            // biome-ignore lint/suspicious/noArrayIndexKey: left stays left
            key={side}
            side={side === 0 ? 0 : 1}
            text={text}
            quantizer={quantizer}
            inspection={inspection}
            limit={limit}
          />
        ))}
      </div>
      <BlockElements table={elements} />
      <p className={styles.note}>
        Code, then element × scale ÷ pre-scale = value; all digits are under the pointer. ▲ clipped: beyond the largest
        value under this scale. ○ zeroed: not zero before, zero after. {remark}
      </p>
      {sides.map(({ text, rules }, side) =>
        rules.length === 0 ? null : (
          <NumberTable
            key={sideLabel(text, side, texts)}
            caption={`What if: scale rules on this block, ${sideLabel(text, side, texts)}`}
            data={ruleTable(rules)}
            hook={`block-rules-${side}`}
          />
        ),
      )}
      <p className={styles.note}>
        Codes are those of the scalar codec, which the GPU kernels are tested equal to, bit for bit.
      </p>
    </>
  )
}

/** What is special about the block. */
function BlockNotes({ values, blockSize }: { readonly values: readonly number[]; readonly blockSize: number }) {
  const notes = [
    ...(values.length < blockSize ? [`A short last block: ${values.length} of ${blockSize} elements.`] : []),
    ...(values.every((value) => value === 0)
      ? ['Every element is zero: so is every code, and no error is defined.']
      : []),
    ...(values.every(Number.isFinite)
      ? []
      : ['The block holds a NaN or an infinity: formats with a shared scale decode all of it to NaN.']),
  ]
  return notes.length === 0 ? null : (
    <ul className={styles.notes} data-test="block-notes">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  )
}

function PreScale() {
  const tried = useApp((state) => state.blocks.preScale !== null)
  const factor = useApp((state) => triedFactor(state.setup, state.blocks.preScale))
  const obstacle = useApp((state) => {
    // 0.75 stands for any factor: whether it reaches an operand does not depend on which.
    const choices = triedChoices(state.setup, 0.75)
    const reaches = (text: string) => {
      const quantizer = makeQuantizer(parseFormat(text), choices)
      return quantizer.family === 'mx' && quantizer.preScale !== null
    }
    return comparedFormats(state).some(reaches) ? null : 'Neither format has 4-bit elements under a power-of-two scale.'
  })
  const { setBlockPreScale } = useActions()
  return (
    <TriedPreScale
      factor={factor}
      tried={tried}
      obstacle={obstacle}
      hook="block-pre-scale"
      onChange={setBlockPreScale}
    />
  )
}
