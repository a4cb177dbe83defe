#include "ui/window/lend_dialog.h"

#include "ui/model/format.h"

#include <QtCore/QDir>
#include <QtCore/QFileInfo>
#include <QtWidgets/QCheckBox>
#include <QtWidgets/QComboBox>
#include <QtWidgets/QDialogButtonBox>
#include <QtWidgets/QFileDialog>
#include <QtWidgets/QFormLayout>
#include <QtWidgets/QHBoxLayout>
#include <QtWidgets/QLabel>
#include <QtWidgets/QLineEdit>
#include <QtWidgets/QPushButton>

namespace belay::ui {
namespace {

constexpr int kWidthInCharacters = 60;

}  // namespace

LendDialog::LendDialog(const QString& gadget, QWidget* parent)
    : QDialog(parent),
      file_(new QLineEdit(this)),
      label_(new QLineEdit(this)),
      readOnly_(new QCheckBox(tr("&Read-only: the gadget cannot write to it"), this)),
      blockSize_(new QComboBox(this)),
      hint_(new QLabel(this)) {
    //: The title of a dialog; %1 is a gadget's name
    setWindowTitle(tr("Lend an image to %1").arg(gadget));
    setMinimumWidth(fontMetrics().averageCharWidth() * kWidthInCharacters);
    auto* const browse = new QPushButton(tr("&Browse…"), this);
    browse->setAccessibleName(tr("Browse for the file"));
    browse->setAccessibleDescription(tr("Opens a dialog in which to choose it"));
    file_->setAccessibleName(tr("File to lend"));
    file_->setAccessibleDescription(tr("A disk image or a block device"));
    label_->setAccessibleName(tr("Name on the gadget"));
    label_->setAccessibleDescription(tr("The file's own name, if this is empty"));
    readOnly_->setAccessibleName(tr("Read-only"));
    readOnly_->setAccessibleDescription(tr("The gadget cannot write to it"));
    blockSize_->setAccessibleName(tr("Block size"));
    const QString choice =
        tr("A partition table is found only with the block size that it was made for. “Automatic” "
           "takes a block device’s own size. Of a file it takes the size that it was lent with "
           "last; without one, 4096 bytes if its partition table was made for that, and else "
           "512.");
    blockSize_->setAccessibleDescription(choice);
    blockSize_->setToolTip(choice);
    //: The block size is chosen by Belay
    blockSize_->addItem(tr("Automatic"), 0U);
    for (const uint size : {512U, 1024U, 2048U, 4096U})
        //: A block size; %1 is a number
        blockSize_->addItem(tr("%1 bytes").arg(size), size);
    hint_->setAccessibleName(tr("About this file"));
    hint_->setWordWrap(true);
    hint_->setTextFormat(Qt::PlainText);

    auto* const row = new QHBoxLayout;
    row->addWidget(file_);
    row->addWidget(browse);
    auto* const form = new QFormLayout;
    form->addRow(tr("&File:"), row);
    form->addRow(tr("&Name:"), label_);
    form->addRow(tr("Bloc&k size:"), blockSize_);
    form->addRow(readOnly_);
    form->addRow(hint_);
    if (auto* const buddy = qobject_cast<QLabel*>(form->labelForField(row)))
        buddy->setBuddy(file_);
    auto* const buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    lend_ = buttons->addButton(tr("&Lend"), QDialogButtonBox::AcceptRole);
    lend_->setDefault(true);
    lend_->setAccessibleName(tr("Lend"));
    lend_->setAccessibleDescription(tr("Gives the file to the gadget as a disk"));
    QPushButton* const cancel = buttons->button(QDialogButtonBox::Cancel);
    cancel->setAccessibleName(tr("Cancel"));
    cancel->setAccessibleDescription(tr("Lends nothing"));
    auto* const layout = new QVBoxLayout(this);
    layout->addLayout(form);
    layout->addStretch();
    layout->addWidget(buttons);

    connect(browse, &QPushButton::clicked, this, &LendDialog::browse);
    connect(file_, &QLineEdit::textChanged, this, &LendDialog::update);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    update();
}

QString LendDialog::file() const {
    return file_->text();
}

QString LendDialog::label() const {
    return label_->text().isEmpty() ? label_->placeholderText() : label_->text();
}

bool LendDialog::readOnly() const {
    return readOnly_->isChecked();
}

uint LendDialog::blockSize() const {
    return blockSize_->currentData().toUInt();
}

void LendDialog::setFile(const QString& file) {
    file_->setText(QDir::toNativeSeparators(file));
}

void LendDialog::browse() {
    auto* const dialog = new QFileDialog(this, tr("Choose what to lend"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setNameFilters({tr("Disk images (*.img *.iso *.raw)"), tr("All files (*)")});
    connect(dialog, &QFileDialog::fileSelected, this, &LendDialog::setFile);
    dialog->open();
}

void LendDialog::update() {
    const QFileInfo info(file_->text());
    label_->setPlaceholderText(info.fileName());
    const bool usable = info.exists() && !info.isDir();
    lend_->setEnabled(usable);
    if (file_->text().isEmpty())
        hint_->setText(
            tr("Choose a disk image or a block device. It becomes a disk on the "
               "gadget; keep it where it is while it is lent."));
    else if (!info.exists())
        hint_->setText(tr("There is no such file."));
    else if (info.isDir())
        hint_->setText(tr("This is a folder. Choose a disk image."));
    else if (!info.isWritable()) {
        hint_->setText(tr("You may not write to this file, so it can be lent read-only."));
        readOnly_->setChecked(true);
    } else if (info.isFile())
        hint_->setText(tr("%1 will be a disk of this size on the gadget.")
                           .arg(sizeText(qulonglong(info.size()))));
    else
        hint_->clear();
    readOnly_->setEnabled(!usable || info.isWritable());
}

}  // namespace belay::ui
