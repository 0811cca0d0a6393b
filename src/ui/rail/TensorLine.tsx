import { inputUses } from '../../store/selection'
import { nameParts, type TensorLine, type TensorRow } from '../../store/tensor-rows'
import { ChevronDown, ChevronRight } from '../icons'
import { useActions, useApp } from '../use-app'
import { TensorFacts, TensorUses } from './TensorFacts'
import styles from './TensorList.module.css'

/** Of the statistics of a tensor, which scroll where they need more. */
export const FACTS_HEIGHT = 108

interface LineProps {
  readonly line: TensorLine
  /** Opens or closes the module of this key. */
  readonly onToggle: (moduleKey: string) => void
}

/** One line of the tree: a file, a module, a tensor or what is known of it. */
export function Line({ line, onToggle }: LineProps) {
  switch (line.kind) {
    case 'file':
      return (
        <p className={styles.file} title={line.name} data-test="tensor-file">
          {line.name}
        </p>
      )
    case 'module':
      return <Module line={line} onToggle={onToggle} />
    case 'tensor':
      return <Row row={line.row} indent={line.indent} />
    case 'details':
      return (
        <div className={styles.facts} style={{ height: FACTS_HEIGHT }}>
          <TensorUses row={line.row} />
          <TensorFacts row={line.row} />
        </div>
      )
  }
}

function Module({
  line,
  onToggle,
}: {
  readonly line: Extract<TensorLine, { kind: 'module' }>
  readonly onToggle: LineProps['onToggle']
}) {
  const { before, block, middle, end } = nameParts(`${line.name}.*.*`)
  return (
    <button
      type="button"
      className={styles.module}
      data-test="tensor-module"
      aria-expanded={line.isOpen}
      title={`${line.name}, ${line.tensors} tensors`}
      onClick={() => onToggle(line.key)}
    >
      {line.isOpen ? <ChevronDown /> : <ChevronRight />}
      <bdi className={styles.moduleName}>
        <span className={styles.before}>{before}</span>
        {`${block}${middle}${end}`.replace(/\.?\*\.\*$/, '')}
      </bdi>
      <span className={styles.count}>{line.tensors}</span>
    </button>
  )
}

function Row({ row, indent }: { readonly row: TensorRow; readonly indent: boolean }) {
  const { chooseWeight, toggleDetails } = useActions()
  const chosen = useApp(({ source }) => source.weight?.fileId === row.fileId && source.weight.tensor === row.tensor)
  const isOpen = useApp(({ source }) => source.details[`${row.fileId} ${row.tensor}`] !== undefined)
  const isInput = useApp(({ source }) => inputUses(source, row) !== null)
  const { fileId, tensor } = row
  const onClick = () => {
    // A click on an input must not turn the comparison upside down: what it can be used as stands in its details.
    if (isInput) toggleDetails({ fileId, tensor })
    else chooseWeight(row.stack === null ? { fileId, tensor } : { fileId, tensor, slice: 0 })
  }
  const packed = row.packed === null ? '' : `, stored as ${row.packed}`
  const facts = `${tensor}, ${row.shape}, ${row.dtype}${packed}, ${row.size}, ${row.shard ?? row.fileName}`
  return (
    <div className={styles.line} data-indent={indent}>
      <button
        type="button"
        className={styles.more}
        data-test="tensor-details"
        aria-expanded={isOpen}
        aria-label={`Statistics of ${tensor}`}
        onClick={() => toggleDetails({ fileId, tensor })}
      >
        {isOpen ? <ChevronDown /> : <ChevronRight />}
      </button>
      <button
        type="button"
        className={styles.row}
        data-test="tensor-row"
        data-tensor={tensor}
        aria-pressed={chosen}
        aria-expanded={isInput ? isOpen : undefined}
        disabled={row.obstacle !== null}
        title={row.obstacle === null ? facts : `${facts}. Cannot be chosen as weight: ${row.obstacle}`}
        onClick={onClick}
      >
        <Name name={tensor} module={indent ? row.module : ''} />
        <span>{row.shape}</span>
        <span className={styles.dtype} data-packed={row.packed !== null}>
          {row.dtype}
        </span>
        <span className={styles.size}>{row.size}</span>
      </button>
    </div>
  )
}

/** The name without its module where that stands above, else without what all names share, cut in the middle. */
function Name({ name, module }: { readonly name: string; readonly module: string }) {
  const cut =
    module === ''
      ? nameParts(name)
      : { before: `${module}.`, block: '', middle: '', end: name.slice(module.length + 1) }
  return (
    <bdi className={styles.name} data-block={cut.block !== ''}>
      <span className={styles.before}>{cut.before}</span>
      <span className={styles.block}>{cut.block}</span>
      <span className={styles.middle}>{cut.middle}</span>
      <span className={styles.end}>{cut.end}</span>
    </bdi>
  )
}
